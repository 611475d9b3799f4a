//! What an answer has cost: in its headers, and for its host.

use http::{HeaderMap, HeaderValue, Response, header::HeaderName};
use niente_cost::{Dollars, Prices, Spent};
use niente_model::Tenant;

/// Requests to the storage, by kind: `get=12 list=1`.
const REQUESTS: HeaderName = HeaderName::from_static("x-niente-requests");
/// Bytes that were read from it.
const BYTES_READ: HeaderName = HeaderName::from_static("x-niente-bytes-read");
/// Invocations of functions.
const INVOCATIONS: HeaderName = HeaderName::from_static("x-niente-invocations");
/// Memory and time of functions.
const GB_SECONDS: HeaderName = HeaderName::from_static("x-niente-gb-seconds");
/// All of it in US dollars.
const COST_USD: HeaderName = HeaderName::from_static("x-niente-cost-usd");

/// What a query has cost. Every answer to a query carries it as an extension, and says it in its headers: Grafana refuses
/// fields that it doesn't know in bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Whose data was asked for.
    pub tenants: Vec<Tenant>,
    /// In requests, bytes, invocations, and memory and time.
    pub spent: Spent,
    /// In money.
    pub dollars: Dollars,
}

impl Price {
    pub(crate) fn new(tenants: Vec<Tenant>, spent: Spent, prices: &Prices) -> Self {
        Self { tenants, spent, dollars: prices.of(&spent) }
    }

    /// The response with its price.
    pub(crate) fn on<B>(self, mut response: Response<B>) -> Response<B> {
        self.write(response.headers_mut());
        response.extensions_mut().insert(self);
        response
    }

    fn write(&self, headers: &mut HeaderMap) {
        let counts = self.spent.store;
        let kinds = [
            ("get", counts.gets),
            ("head", counts.heads),
            ("list", counts.lists),
            ("put", counts.puts),
            ("delete", counts.deletes),
        ];
        let kinds = kinds.into_iter().filter(|(_, count)| *count > 0).map(|(kind, count)| format!("{kind}={count}"));
        let texts = [
            (REQUESTS, kinds.collect::<Vec<_>>().join(" ")),
            (BYTES_READ, counts.bytes_read.to_string()),
            (INVOCATIONS, self.spent.invocations.to_string()),
            (GB_SECONDS, format!("{:.6}", self.spent.memory_time().gb_seconds())),
            (COST_USD, format!("{:.9}", self.dollars.as_f64())),
        ];
        for (name, text) in texts {
            headers.insert(name, HeaderValue::try_from(text).expect("numbers and letters make a header's value"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use niente_cost::{Architecture, MemoryTime};
    use niente_store::Counts;

    use super::*;

    #[test]
    fn headers_say_what_was_spent() {
        let counts = Counts { gets: 12, lists: 1, bytes_read: 1_000_000, ..Counts::default() };
        let held = MemoryTime::of(2_048, Duration::from_secs(1));
        let spent = Spent { store: counts, invocations: 3, ..Spent::compute(Architecture::Arm64, held) };
        let response = Price::new(vec![Tenant::single()], spent, &Prices::default()).on(Response::new(()));
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("x-niente-requests"), "get=12 list=1");
        assert_eq!(header("x-niente-bytes-read"), "1000000");
        assert_eq!(header("x-niente-invocations"), "3");
        assert_eq!(header("x-niente-gb-seconds"), "2.000000");
        // 12 GETs at 0.4 and a LIST at 5 millionths, 3 invocations at 0.2, 2 GB-seconds at 13.3334.
        assert_eq!(header("x-niente-cost-usd"), "0.000037067");
    }
}
