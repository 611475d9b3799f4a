//! The ports: opening them, telling people, and serving until the end.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::serve::ListenerExt;
use futures::future::join_all;
use tokio::{net::TcpListener, sync::watch};

use super::{App, ServerArgs, grpc, http, shutdown::Signals};
use crate::Failure;

/// Where a server listens, with the ports that it has got where any was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
    pub(crate) otlp_grpc: SocketAddr,
}

impl Addresses {
    /// One of them that others than this machine may reach, if there is any.
    pub(super) fn beyond_loopback(&self) -> Option<SocketAddr> {
        let all = [self.http, self.otlp_http, self.otlp_grpc];
        all.into_iter().find(|address| !address.ip().to_canonical().is_loopback())
    }

    /// A line for each port, for people and for programs that start the server on free ports.
    pub(crate) fn announcement(&self) -> String {
        let Self { http, otlp_http, otlp_grpc } = self;
        format!(
            "listening: tempo-api http://{http}\n\
             listening: otlp-http http://{otlp_http}\n\
             listening: otlp-grpc http://{otlp_grpc}\n"
        )
    }
}

/// Ports that are open.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) addresses: Addresses,
    signals: Signals,
    http: TcpListener,
    otlp_http: TcpListener,
    otlp_grpc: TcpListener,
}

impl Listeners {
    /// Opens all three. From then on it is the server that ends the process, in good order.
    pub(super) async fn bind(options: &ServerArgs) -> Result<Self, Failure> {
        let signals = Signals::catch()?;
        let (http, http_address) = bind("--http", &options.http).await?;
        let (otlp_http, otlp_http_address) = bind("--otlp-http", &options.otlp_http).await?;
        let (otlp_grpc, otlp_grpc_address) = bind("--otlp-grpc", &options.otlp_grpc).await?;
        let addresses = Addresses { http: http_address, otlp_http: otlp_http_address, otlp_grpc: otlp_grpc_address };
        Ok(Self { addresses, signals, http, otlp_http, otlp_grpc })
    }

    /// Serves until the process is told to end, and then for at most `patience`, or until it is told again.
    pub(super) async fn serve(mut self, app: Arc<App>, patience: Duration) -> Result<(), Failure> {
        let (stop, stopped) = watch::channel(false);
        let servers = [
            (self.http, http::router(app.clone())),
            (self.otlp_http, http::router(app.clone())),
            (self.otlp_grpc, grpc::router(app)),
        ]
        .map(|(listener, router)| {
            let mut stopped = stopped.clone();
            let listener = listener.tap_io(|connection| {
                // Small answers go out at once. A connection that refuses is slower, no worse.
                let _ = connection.set_nodelay(true);
            });
            let server = axum::serve(listener, router).with_graceful_shutdown(async move {
                // An error means that the sender is gone: that is the end too.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            });
            tokio::spawn(server.into_future())
        });

        self.signals.next().await;
        tracing::info!("told to end: finishing what is being answered");
        stop.send_replace(true);
        tokio::select! {
            _ = join_all(servers) => tracing::info!("ended"),
            () = tokio::time::sleep(patience) => tracing::warn!(?patience, "some requests did not finish in time"),
            () = self.signals.next() => tracing::warn!("told to end again: some requests did not finish"),
        }
        Ok(())
    }
}

async fn bind(flag: &str, address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| explain(flag, address, &error))?;
    let bound = listener.local_addr().map_err(|error| explain(flag, address, &error))?;
    Ok((listener, bound))
}

fn explain(flag: &str, address: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("the port is taken, maybe by another niente; stop that program or choose another port with {flag}")
        }
        ErrorKind::AddrNotAvailable => format!("no network of this machine has that address; change {flag}"),
        ErrorKind::PermissionDenied => {
            format!("permission denied; ports below 1024 need privileges, choose another with {flag}")
        }
        ErrorKind::InvalidInput => {
            return Failure::Usage(format!("{flag} {address}: write host:port, such as 127.0.0.1:3200"));
        }
        _ => format!("{error}; change {flag}"),
    };
    Failure::Failed(format!("can't listen on {address}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_this_machine_s_alone() {
        let loopback: SocketAddr = "127.0.0.1:1".parse().unwrap();
        for (address, is_loopback) in [
            ("127.0.0.1:1", true),
            ("127.255.0.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("[::ffff:10.0.0.1]:1", false),
            ("192.168.0.1:1", false),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            for at in 0..3 {
                let [http, otlp_http, otlp_grpc] = std::array::from_fn(|n| if n == at { address } else { loopback });
                let addresses = Addresses { http, otlp_http, otlp_grpc };
                assert_eq!(addresses.beyond_loopback(), (!is_loopback).then_some(address));
            }
        }
    }
}
