use std::sync::Arc;

use niente_api::{Clock, Gate};
use niente_model::Nanos;
use niente_store::MemoryStore;
use prost::Message;

use super::{InProcess, shop::Shop};

/// From when the shop's traces are, in seconds since the epoch.
pub(crate) const OPENS: u64 = 1_793_577_600 + 8 * 60;
/// Until when, which is also the server's time. Between them its payments fail for some minutes.
pub(crate) const CLOSES: u64 = OPENS + 10 * 60;

/// Some minutes of the demo's shop, stored by the minute.
pub(crate) async fn demo() -> InProcess {
    let clock = Clock::new(|| Nanos::from_secs(CLOSES));
    let server = InProcess::guarded(Arc::new(MemoryStore::new()), Gate::Open, clock);
    let shop = Shop::new(1);
    for minute in (OPENS..CLOSES).step_by(60) {
        let spans = (minute..minute + 60).flat_map(|second| shop.second(second)).collect();
        server.push_protobuf(shop.request(spans).encode_to_vec()).await;
    }
    server
}
