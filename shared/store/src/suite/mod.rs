//! What [`Store`] promises, as tests that every backend has to pass.
//!
//! [`store_suite!`](crate::store_suite) makes one test of each case. Each gets an empty store of its own; for a
//! bucket, a fresh prefix is one.
//!
//! ```ignore
//! mod memory {
//!     niente_store::store_suite!((Arc::new(MemoryStore::new()), ()));
//! }
//! ```
//!
//! A server that is known to differ from S3 in something that Niente can live with is asked less: [`Deviations`].

// These are tests, though their place is a library.
#![allow(clippy::unwrap_used, missing_docs)]

mod deviations;
pub mod listing;
pub mod reads;
pub mod writes;

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;

pub use self::deviations::{Deviations, Order};

use crate::{ETag, Error, ObjectKey, Store, list_all};

/// A store that tasks can share.
pub type Shared = Arc<dyn Store>;

/// One test for each of the suite's cases.
///
/// The expression is evaluated once for each test, inside its async runtime, and gives a pair: an `Arc` of an empty
/// store, and whatever has to live as long as it does, such as its temporary folder. A second one, after a semicolon,
/// gives the backend's [`Deviations`](crate::suite::Deviations). The crate needs `tokio` with `macros` and `rt-multi-thread`
/// among its dev-dependencies.
#[macro_export]
macro_rules! store_suite {
    ($fresh:expr) => {
        $crate::store_suite! { $fresh; $crate::suite::Deviations::default() }
    };
    ($fresh:expr; $deviations:expr) => {
        $crate::store_suite! { @ $fresh; $deviations;
            reads: objects_come_back_whole;
            reads: an_empty_object_is_an_object;
            reads: ranges_are_exact;
            reads: ranges_beyond_the_object_are_refused;
            reads: several_ranges_come_in_the_order_they_are_named;
            reads: a_suffix_is_the_end_and_the_size;
            reads: what_is_missing_is_not_found;
            reads: a_known_version_is_not_read_again;
            reads: size_and_age_are_told;
            listing: every_prefix_and_start_gives_what_a_sorted_map_gives(order);
            listing: pages_join_without_gap_or_repetition;
            listing: what_stays_is_listed_while_other_objects_come_and_go;
            listing: folders_are_found_without_what_they_hold(order);
            listing: a_folder_lasts_as_long_as_what_lies_below_it(folders_go);
            listing: folders_join_without_gap_or_repetition;
            writes: odd_but_legal_keys_work(order);
            writes: an_object_is_created_once;
            writes: one_of_many_creators_wins(contenders);
            writes: only_the_expected_version_is_replaced;
            writes: one_of_many_replacements_wins(contenders);
            writes: concurrent_increments_are_all_counted(contenders);
            writes: readers_never_see_a_part_of_a_write;
            writes: only_the_expected_version_is_deleted;
            writes: one_of_many_deletions_wins(contenders);
            writes: deletion_is_idempotent(folders_go);
            writes: a_replacement_never_brings_a_deleted_object_back;
            writes: neighbours_come_and_go_independently;
        }
    };
    (@ $fresh:expr; $deviations:expr; $($room:ident: $case:ident $(($deviation:ident))?;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                let (store, _keep) = $fresh;
                $crate::suite::$room::$case(store $(, $deviations.$deviation())?).await;
            }
        )+
    };
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// Bytes in which no stretch looks like another, `seed` and position included.
fn noise(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes.into()
}

async fn create(store: &Shared, text: &str, bytes: impl Into<Bytes>) -> ETag {
    store.put_if_absent(&key(text), bytes.into()).await.unwrap()
}

async fn keys(store: &Shared, prefix: &str, start_after: Option<&str>) -> Vec<String> {
    list_all(&**store, prefix, start_after).map_ok(|meta| meta.key.to_string()).try_collect().await.unwrap()
}

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: crate::Result<T>) {
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
}
