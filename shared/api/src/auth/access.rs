use http::HeaderMap;
use niente_cost::Budget;
use niente_model::Tenant;

use super::{AuthError, Right, Rights, TenantScope, TokenEntry, TokenId};
use crate::{Error, tenant};

/// Who asks: the holder of a token, or anybody where everybody is let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// The token; none where there is no need for one.
    pub token: Option<TokenId>,
    /// Whose data may be touched.
    pub tenants: TenantScope,
    /// What may be done.
    pub rights: Rights,
    /// What a query may read and cost.
    pub budget: Budget,
}

/// What one request may touch, and how much it may use: all that has to be known of who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The token that the request came with; none where there is no need for one.
    pub token: Option<TokenId>,
    /// Whose data it is about, in the order of their names: at least one tenant, each once, and none that the token is
    /// not good for.
    pub tenants: Vec<Tenant>,
    /// What it may do.
    pub rights: Rights,
    /// What it may read and cost.
    pub budget: Budget,
}

impl Principal {
    /// Somebody of whom nothing is known and nothing is wanted: good for nothing.
    pub(crate) fn nobody() -> Self {
        Self {
            token: None,
            tenants: TenantScope::Only([].into()),
            rights: Rights::default(),
            budget: Budget::UNLIMITED,
        }
    }

    /// Anybody, where everybody is let in.
    pub(super) fn anybody() -> Self {
        Self { tenants: TenantScope::Every, rights: Right::ALL.into_iter().collect(), ..Self::nobody() }
    }

    /// The holder of this token.
    pub(super) fn holder(entry: &TokenEntry) -> Self {
        let TokenEntry { id, tenants, rights, budget, .. } = entry;
        Self { token: Some(*id), tenants: tenants.clone(), rights: *rights, budget: *budget }
    }

    /// Whether a request that needs this right may go on.
    ///
    /// # Errors
    /// [`AuthError::Right`].
    pub fn require(&self, right: Right) -> Result<(), AuthError> {
        if self.rights.allow(right) { Ok(()) } else { Err(AuthError::Right(right)) }
    }

    /// What a request with these headers may touch, which needs this right.
    ///
    /// `X-Scope-OrgID` names the tenants. Without it they are the token's only one; of a token that is good for every
    /// tenant, and where there are no tokens, `single-tenant`, unless the header is required.
    ///
    /// # Errors
    /// A right or a tenant that the token doesn't have, names that no tenant can have, and no name where one is needed.
    pub fn access(&self, right: Right, headers: &HeaderMap, tenant_required: bool) -> Result<Access, Error> {
        self.require(right)?;
        let named = tenant::named(headers)?;
        if let Some(other) = named.iter().find(|tenant| !self.tenants.contains(tenant)) {
            return Err(AuthError::Tenant(other.clone()).into());
        }
        let tenants = match &self.tenants {
            _ if !named.is_empty() => named,
            TenantScope::Only(names) if names.len() == 1 => names.clone(),
            TenantScope::Every if !tenant_required => [Tenant::single()].into(),
            TenantScope::Every if self.token.is_none() => return Err(Error::NoTenant),
            _ => return Err(AuthError::TenantNotNamed.into()),
        };
        let tenants = tenants.into_iter().collect();
        Ok(Access { token: self.token, tenants, rights: self.rights, budget: self.budget })
    }
}

impl Access {
    /// The tenant, for requests that can be about no more than one: those that store.
    ///
    /// # Errors
    /// [`Error::OneTenantOnly`].
    pub fn tenant(&self) -> Result<&Tenant, Error> {
        match &self.tenants[..] {
            [tenant] => Ok(tenant),
            _ => Err(Error::OneTenantOnly),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tenants, or the status and start of the error, of a question of a principal that is good for `scope`.
    #[track_caller]
    fn check(token: bool, scope: &str, header: Option<&str>, required: bool, expected: Result<&str, (u16, &str)>) {
        let tenants = match scope {
            "*" => TenantScope::Every,
            names => TenantScope::Only(names.split(' ').map(|name| Tenant::new(name).unwrap()).collect()),
        };
        let token = token.then(|| "0123456789ab".parse().unwrap());
        let principal = Principal { token, tenants, ..Principal::anybody() };
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("x-scope-orgid", header.parse().unwrap());
        }
        match (principal.access(Right::Query, &headers, required), expected) {
            (Ok(access), Ok(expected)) => {
                let names: Vec<_> = access.tenants.iter().map(Tenant::as_str).collect();
                assert_eq!(names.join(" "), expected);
                assert_eq!(access.tenant().is_ok(), names.len() == 1);
            }
            (Err(error), Err((status, start))) => {
                assert_eq!(error.status().as_u16(), status, "{error}");
                assert!(error.to_string().starts_with(start), "{error}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_header_names_tenants_of_the_token() {
        let other = |name| Err((403, name));
        for required in [false, true] {
            check(true, "a", Some("a"), required, Ok("a"));
            check(true, "a b", Some("b"), required, Ok("b"));
            check(true, "a b c", Some("c|a|c"), required, Ok("a c"));
            check(true, "*", Some("z|y"), required, Ok("y z"));
            check(true, "a", Some("b"), required, other("the token is not good for the tenant b"));
            check(true, "a", Some("A"), required, other("the token is not good for the tenant A"));
            check(true, "a b", Some("a|c|b"), required, other("the token is not good for the tenant c"));
            check(true, "a", Some("a|../b"), required, Err((400, "header X-Scope-OrgID: the tenant name has")));
            check(true, "a", Some(""), required, Err((400, "header X-Scope-OrgID: the tenant name is empty")));
            check(false, "*", Some("b|a"), required, Ok("a b"));
        }
    }

    #[test]
    fn without_the_header_it_is_the_only_tenant_there_can_be() {
        for required in [false, true] {
            check(true, "a", None, required, Ok("a"));
            check(true, "a b", None, required, Err((400, "the token is good for several tenants: name one")));
        }
        check(true, "*", None, false, Ok("single-tenant"));
        check(true, "*", None, true, Err((400, "the token is good for several tenants: name one")));
        check(false, "*", None, false, Ok("single-tenant"));
        check(false, "*", None, true, Err((401, "the header X-Scope-OrgID is missing")));
    }

    #[test]
    fn a_right_is_looked_at_before_a_tenant() {
        let nobody = Principal::nobody().access(Right::Ingest, &HeaderMap::new(), false).unwrap_err();
        assert_eq!((nobody.status().as_u16(), &*nobody.to_string()), (403, "the token has not the right to ingest"));
    }
}
