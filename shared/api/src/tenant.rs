use http::HeaderMap;
use niente_model::Tenant;

use crate::Error;

/// Names the tenant, as in Grafana's own databases.
const HEADER: &str = "x-scope-orgid";

/// Whose data a request with these headers is about.
pub(crate) fn of(headers: &HeaderMap, required: bool) -> Result<Tenant, Error> {
    let names: Vec<_> = headers.get_all(HEADER).iter().collect();
    match names[..] {
        [] if required => Err(Error::NoTenant),
        [] => Ok(Tenant::single()),
        // What isn't UTF-8 isn't on the list of allowed characters either, whatever stands in its place.
        [name] => Ok(Tenant::new(&String::from_utf8_lossy(name.as_bytes()))?),
        _ => Err(Error::SeveralTenants(names.len())),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The tenant, or the start of the error, of requests with these header values.
    fn check(names: &[&[u8]], required: bool, expected: Result<&str, (u16, &str)>) {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append("X-Scope-OrgID", HeaderValue::from_bytes(name).unwrap());
        }
        match (of(&headers, required), expected) {
            (Ok(tenant), Ok(expected)) => assert_eq!(tenant.as_str(), expected),
            (Err(error), Err((status, start))) => {
                assert_eq!(error.status().as_u16(), status, "{error}");
                assert!(error.to_string().starts_with(start), "{error}");
            }
            (found, expected) => panic!("{names:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn tenants_are_named_by_one_header() {
        check(&[], false, Ok("single-tenant"));
        check(&[], true, Err((401, "the header X-Scope-OrgID is missing")));
        for required in [false, true] {
            check(&[b"acme"], required, Ok("acme"));
            check(&[b""], required, Err((400, "header X-Scope-OrgID: the tenant name is empty")));
            check(&[b"a|b"], required, Err((400, "header X-Scope-OrgID: the tenant name has the character '|'")));
            check(&[b"../x"], required, Err((400, "header X-Scope-OrgID: the tenant name has the character '/'")));
            check(&[b"\xff"], required, Err((400, "header X-Scope-OrgID: the tenant name has the character")));
            check(&[b"a", b"a"], required, Err((400, "the header X-Scope-OrgID is there 2 times")));
        }
    }
}
