//! The suite, against each backend of this crate.

use std::sync::Arc;

use niente_store::{
    Counting, FolderStore, Hedged, MemoryStore, store_suite,
    testing::{Fault, Faulty, S3Server},
};

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

mod s3 {
    use super::*;

    store_suite!({
        let server = S3Server::start().await;
        (Arc::new(server.store("").await), server)
    });
}

/// Beside keys that are no part of the store.
mod s3_below_a_prefix {
    use super::*;

    store_suite!({
        let server = S3Server::start().await;
        for key in ["prod", "prod-/x", "prod/", "prod/eu", "prod/eu/", "prod/eu-west/x", "prod/eu//x", "prod/eu0", "z"]
        {
            server.insert(key, "not this store's");
        }
        (Arc::new(server.store("prod/eu").await), server)
    });
}

/// Layers change nothing of what a store promises.
mod layers {
    use super::*;

    store_suite!({
        let faulty = Faulty::new(Arc::new(MemoryStore::new()), |_| Fault::None);
        (Arc::new(Counting::new(Arc::new(Hedged::new(Arc::new(faulty))))), ())
    });
}

mod layers_over_s3 {
    use super::*;

    store_suite!({
        let server = S3Server::start().await;
        let store = Arc::new(server.store("layered").await);
        (Arc::new(Hedged::new(Arc::new(Counting::new(store)))), server)
    });
}
