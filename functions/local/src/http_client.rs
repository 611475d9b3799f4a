//! HTTP to a server: what `query` and `ingest` send.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use niente_model::Tenant;

use crate::Failure;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a request may take in all.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends requests to one server, for the same tenants.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    headers: HeaderMap,
}

/// The option that says who asks.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct TokenArgs {
    /// The token to show to the server; better in the environment, where no list of processes has it
    #[arg(long, value_name = "TOKEN", env = "NIENTE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl fmt::Debug for TokenArgs {
    /// Whether there is one, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenArgs").field("token", &self.token.as_ref().map(|_| "…")).finish()
    }
}

impl TokenArgs {
    fn header(&self) -> Result<Option<HeaderValue>, Failure> {
        let Some(token) = self.token.as_deref().filter(|token| !token.is_empty()) else { return Ok(None) };
        // Whatever it is: what stands before the server may have tokens of its own. It is not repeated.
        let header = HeaderValue::try_from(format!("Bearer {token}"));
        let mut header = header.map_err(|_| Failure::Usage("--token: that is no token".to_owned()))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
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

/// The header that names tenants; none for none.
pub(crate) fn tenants(tenants: &[Tenant]) -> Option<HeaderValue> {
    let names: Vec<_> = tenants.iter().map(Tenant::as_str).collect();
    let header = || HeaderValue::try_from(names.join("|")).expect("tenants' names are ASCII that can be seen");
    (!names.is_empty()).then(header)
}

impl Client {
    /// A client of the server at `url`, which may leave out `http://`.
    pub(crate) fn new(url: &str, for_tenants: &[Tenant], token: &TokenArgs) -> Result<Self, Failure> {
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
        let mut headers = HeaderMap::new();
        if let Some(names) = tenants(for_tenants) {
            headers.insert("x-scope-orgid", names);
        }
        if let Some(token) = token.header()? {
            headers.insert(AUTHORIZATION, token);
        }
        Ok(Self { agent: config.into(), base: base.trim_end_matches('/').to_owned(), headers })
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
        let request = self.agent.get(format!("{}{path_and_query}", self.base));
        self.answer(self.signed(request).call())
    }

    /// `POST` to a path below the URL.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, Failure> {
        let request = self.agent.post(format!("{}{path}", self.base)).content_type(content_type);
        self.answer(self.signed(request).send(body))
    }

    /// The request with the headers that say who asks.
    fn signed<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
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
            let client = Client::new(url, &[], &TokenArgs::default()).unwrap();
            assert_eq!(client.base(), base);
            assert_eq!(client.has_no_path(), has_no_path);
        }
        assert!(matches!(Client::new("https://traces", &[], &TokenArgs::default()), Err(Failure::Usage(_))));
    }

    #[test]
    fn tokens_are_not_repeated() {
        let args = |text: &str| TokenArgs { token: Some(text.to_owned()) };
        let client = Client::new("localhost", &[Tenant::new("acme").unwrap()], &args("secret")).unwrap();
        assert_eq!(client.headers[AUTHORIZATION], "Bearer secret");
        assert!(!format!("{client:?} {:?}", args("secret")).contains("secret"));
        let wrong = Client::new("localhost", &[], &args("secret\nX: y")).unwrap_err();
        assert!(matches!(wrong, Failure::Usage(text) if !text.contains("secret")));
    }
}
