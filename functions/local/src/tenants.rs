//! Which tenants a command is about.

use niente_catalog::tenants;
use niente_model::Tenant;
use niente_store::Store;

use crate::{Failure, storage::Place};

/// The tenant that was named, if there is one of that name; without a name all that there are.
///
/// Costs a listing.
pub(crate) async fn chosen(store: &dyn Store, place: &Place, named: Option<Tenant>) -> Result<Vec<Tenant>, Failure> {
    let all = tenants(store).await.map_err(|error| Failure::because(format_args!("the store {place}"), &error))?;
    match named {
        Some(named) if all.contains(&named) => Ok(vec![named]),
        Some(named) => Err(Failure::Failed(format!("there is no tenant {named} in {place}: {}", names(&all)))),
        None if all.is_empty() => Err(Failure::Failed(format!("there are no traces in {place}"))),
        None => Ok(all),
    }
}

/// How many names are told.
const TOLD: usize = 5;

fn names(all: &[Tenant]) -> String {
    let told: Vec<_> = all.iter().take(TOLD).map(Tenant::as_str).collect();
    match all.len() {
        0 => "there is none at all".to_owned(),
        1..=TOLD => format!("there is {}", told.join(", ")),
        more => format!("there are {} and {} more", told.join(", "), more - TOLD),
    }
}
