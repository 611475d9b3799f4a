use std::collections::BTreeSet;

use http::HeaderMap;
use niente_model::Tenant;

use crate::Error;

/// Names the tenant, as in Grafana's own databases.
const HEADER: &str = "x-scope-orgid";

/// How many tenants one question may be about: each is a question of its own to the store.
const MOST: usize = 16;

/// The tenants that these headers name: several stand between bars, and each counts once. None if there is no header.
pub(crate) fn named(headers: &HeaderMap) -> Result<BTreeSet<Tenant>, Error> {
    let values: Vec<_> = headers.get_all(HEADER).iter().collect();
    let mut tenants = BTreeSet::new();
    match values[..] {
        [] => {}
        [value] => {
            // What isn't UTF-8 isn't on the list of allowed characters either, whatever stands in its place.
            for name in String::from_utf8_lossy(value.as_bytes()).split('|') {
                tenants.insert(Tenant::new(name)?);
                if tenants.len() > MOST {
                    return Err(Error::TooManyTenants(MOST));
                }
            }
        }
        _ => return Err(Error::SeveralTenants(values.len())),
    }
    Ok(tenants)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The tenants, or the start of the error, of requests with these header values.
    #[track_caller]
    fn check(values: &[&[u8]], expected: Result<&str, &str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("X-Scope-OrgID", HeaderValue::from_bytes(value).unwrap());
        }
        match (named(&headers), expected) {
            (Ok(tenants), Ok(expected)) => {
                let names: Vec<_> = tenants.iter().map(Tenant::as_str).collect();
                assert_eq!(names.join(" "), expected);
            }
            (Err(error), Err(start)) => {
                assert_eq!(error.status().as_u16(), 400, "{error}");
                assert!(error.to_string().starts_with(start), "{error}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn tenants_are_named_by_one_header() {
        check(&[], Ok(""));
        check(&[b"acme"], Ok("acme"));
        check(&[b"b|a|b|a"], Ok("a b"));
        check(&[b""], Err("header X-Scope-OrgID: the tenant name is empty"));
        check(&[b"a||b"], Err("header X-Scope-OrgID: the tenant name is empty"));
        check(&[b"a|"], Err("header X-Scope-OrgID: the tenant name is empty"));
        check(&[b"a,b"], Err("header X-Scope-OrgID: the tenant name has the character ','"));
        check(&[b"a|../x"], Err("header X-Scope-OrgID: the tenant name has the character '/'"));
        check(&[b"a|.."], Err("header X-Scope-OrgID: the tenant name must not be"));
        check(&[b"\xff"], Err("header X-Scope-OrgID: the tenant name has the character"));
        check(&[b"a", b"a"], Err("the header X-Scope-OrgID is there 2 times"));
    }

    #[test]
    fn their_number_is_bounded() {
        let names = |count: usize| (0..count).map(|n| format!("t{n:02}")).collect::<Vec<_>>().join("|");
        check(&[names(16).as_bytes()], Ok(&names(16).replace('|', " ")));
        check(&[names(17).as_bytes()], Err("the header X-Scope-OrgID names more than 16 tenants"));
        check(&["a|".repeat(10_000).trim_end_matches('|').as_bytes()], Ok("a"));
    }
}
