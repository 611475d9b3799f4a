//! The suite, against each backend of this crate.

use std::sync::Arc;

use niente_store::{FolderStore, MemoryStore, store_suite};

mod memory {
    use super::*;

    store_suite!((Arc::new(MemoryStore::new()), ()));
}

mod folder {
    use super::*;

    store_suite!({
        let folder = tempfile::tempdir().unwrap();
        (Arc::new(FolderStore::open(folder.path().join("store")).unwrap()), folder)
    });
}
