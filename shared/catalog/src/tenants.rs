//! What those need who look after whole tenants: compaction, retention, gc.

use futures::{StreamExt, TryStreamExt, future, stream};
use niente_model::{Day, Tenant};
use niente_store::{Error as StoreError, ObjectMeta, Store, list_all};

use crate::{
    DayCatalog, Error, L0Name, Name,
    name::{catalog_key, catalogs, config_key, parse_catalog},
};

/// Every object of a tenant, whatever a catalog says of it.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The immutable objects, each with the day that its key names.
    pub objects: Vec<(Day, Name, ObjectMeta)>,
    /// Objects that Niente did not write: somebody else put them there.
    pub foreign: Vec<ObjectMeta>,
}

/// Every tenant that has any object.
///
/// Costs a request for every thousand tenants.
pub async fn tenants(store: &dyn Store) -> Result<Vec<Tenant>, Error> {
    let pages = stream::try_unfold(Some(None::<String>), |page| async move {
        let Some(start_after) = page else { return Ok::<_, Error>(None) };
        let folders = store.list_folders("", start_after.as_deref()).await?;
        Ok(Some((folders.names, folders.next.map(Some))))
    });
    let names: Vec<Vec<String>> = pages.try_collect().await?;
    // What no tenant is called so is somebody else's.
    Ok(names.into_iter().flatten().filter_map(|name| Tenant::new(&name).ok()).collect())
}

/// All of a tenant's level 0, whether replaced or not, in the order of time.
///
/// Costs a request for every thousand objects.
pub async fn level_0(store: &dyn Store, tenant: &Tenant) -> Result<Vec<(L0Name, ObjectMeta)>, Error> {
    let prefix = L0Name::prefix(tenant);
    let named = |meta: ObjectMeta| Some((L0Name::parse(tenant, meta.key.as_str())?, meta));
    Ok(list_all(store, &prefix, None).try_filter_map(|meta| future::ready(Ok(named(meta)))).try_collect().await?)
}

/// The days of a tenant that have a catalog, in order.
///
/// Costs a request for every thousand days.
pub async fn catalog_days(store: &dyn Store, tenant: &Tenant) -> Result<Vec<Day>, Error> {
    let prefix = catalogs(tenant);
    let day = |meta: ObjectMeta| parse_catalog(tenant, meta.key.as_str());
    Ok(list_all(store, &prefix, None).try_filter_map(|meta| future::ready(Ok(day(meta)))).boxed().try_collect().await?)
}

/// Lists every object of a tenant.
///
/// Costs a request for every thousand objects.
pub async fn inventory(store: &dyn Store, tenant: &Tenant) -> Result<Inventory, Error> {
    let prefix = format!("{tenant}/");
    let mut inventory = Inventory::default();
    let mut listing = std::pin::pin!(list_all(store, &prefix, None));
    while let Some(meta) = listing.try_next().await? {
        let key = meta.key.as_str();
        if let Some(name) = L0Name::parse(tenant, key) {
            inventory.objects.push((name.hour().day(), Name::Level0(name), meta));
        } else if let Some((day, name)) = Name::parse(tenant, key) {
            inventory.objects.push((day, name, meta));
        } else if parse_catalog(tenant, key).is_none() && *key != *config_key(tenant).as_str() {
            inventory.foreign.push(meta);
        }
    }
    Ok(inventory)
}

/// Deletes the catalog of a day of which there is nothing left to know. Says whether it did: not if there is, by now.
pub async fn remove_empty_catalog(store: &dyn Store, tenant: &Tenant, day: Day) -> Result<bool, Error> {
    let (catalog, Some(version)) = DayCatalog::read(store, tenant, day).await? else { return Ok(false) };
    if !catalog.is_empty() {
        return Ok(false);
    }
    match store.delete_if_match(&catalog_key(tenant, day), &version).await {
        Ok(()) => Ok(true),
        Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
