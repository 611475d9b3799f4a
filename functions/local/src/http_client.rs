//! HTTP to a server: what `query` and `ingest` send.

use std::time::Duration;

use niente_model::Tenant;

use crate::Failure;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take in all.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends requests to one server as one tenant.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    tenant: Option<Tenant>,
}

/// A server's answer, whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body of a success; of anything else what the server said.
    pub(crate) fn into_success(self, server: &str) -> Result<Vec<u8>, Failure> {
        if self.status == 200 {
            return Ok(self.body);
        }
        let text = String::from_utf8_lossy(&self.body);
        let said = text.lines().next().unwrap_or_default().trim();
        let said = if said.is_empty() { "without a reason" } else { said };
        Err(Failure::Failed(format!("{server} answered {}: {said}", self.status)))
    }
}

impl Client {
    /// A client of the server at `url`, which may leave out `http://`.
    pub(crate) fn new(url: &str, tenant: Option<Tenant>) -> Result<Self, Failure> {
        let base = match url.split_once("://") {
            None => format!("http://{url}"),
            Some(("http", _)) => url.to_owned(),
            Some(_) => {
                return Err(Failure::Usage(format!(
                    "--url {url}: only http:// is spoken here; ask a local server, or use --data or --store"
                )));
            }
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(PATIENCE))
            // Servers are near: what stands between here and the world must not answer for them.
            .proxy(None)
            .max_redirects(0)
            .user_agent(concat!("niente/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), base: base.trim_end_matches('/').to_owned(), tenant })
    }

    /// Where it sends to.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the URL names no path.
    pub(crate) fn has_no_path(&self) -> bool {
        !self.base.trim_start_matches("http://").contains('/')
    }

    /// `GET` of a path with its query below the URL.
    pub(crate) fn get(&self, path_and_query: &str) -> Result<Answer, Failure> {
        let mut request = self.agent.get(format!("{}{path_and_query}", self.base));
        if let Some(tenant) = &self.tenant {
            request = request.header("X-Scope-OrgID", tenant.as_str());
        }
        self.answer(request.call())
    }

    /// `POST` to a path below the URL.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).content_type(content_type);
        if let Some(tenant) = &self.tenant {
            request = request.header("X-Scope-OrgID", tenant.as_str());
        }
        self.answer(request.send(body))
    }

    fn answer(&self, answer: Result<http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, Failure> {
        let read = answer.and_then(|answer| {
            let status = answer.status().as_u16();
            let body = answer.into_body().into_with_config().limit(u64::MAX).read_to_vec()?;
            Ok(Answer { status, body })
        });
        read.map_err(|error| match &error {
            ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => Failure::Failed(
                format!("no server answers at {}: start one with `niente serve`, or use --data", self.base),
            ),
            ureq::Error::ConnectionFailed => Failure::Failed(format!(
                "no server answers at {}: start one with `niente serve`, or use --data",
                self.base
            )),
            ureq::Error::BadUri(_) | ureq::Error::HostNotFound => {
                Failure::Usage(format!("--url {}: {error}; write it like http://127.0.0.1:3200", self.base))
            }
            _ => Failure::because(format_args!("asking {}", self.base), &error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_may_leave_out_the_scheme() {
        for (url, base, has_no_path) in [
            ("127.0.0.1:3200", "http://127.0.0.1:3200", true),
            ("http://127.0.0.1:3200/", "http://127.0.0.1:3200", true),
            ("localhost/tempo/", "http://localhost/tempo", false),
        ] {
            let client = Client::new(url, None).unwrap();
            assert_eq!(client.base(), base);
            assert_eq!(client.has_no_path(), has_no_path);
        }
        assert!(matches!(Client::new("https://traces", None), Err(Failure::Usage(_))));
    }
}
