//! The data folder as a store.

use std::{path::Path, sync::Arc};

use niente_store::{FolderStore, Store};

use crate::Failure;

/// Opens the folder, or creates it.
pub(crate) fn open(path: &Path) -> Result<Arc<dyn Store>, Failure> {
    let store = FolderStore::open(path).map_err(|error| Failure::because("the data folder", &error))?;
    Ok(Arc::new(store))
}

/// Opens the folder if there is one: a question must not create what it asks about.
pub(crate) fn open_existing(path: &Path) -> Result<Arc<dyn Store>, Failure> {
    if !path.is_dir() {
        return Err(Failure::Failed(format!(
            "there is no folder {}: --data takes what `niente serve --data` or `niente ingest --data` wrote to",
            path.display()
        )));
    }
    open(path)
}
