use std::sync::Arc;

use niente_cost::Prices;

use crate::Workers;

/// What an operator may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A shard reads about so many bytes of columns. Default: 64 MiB, of which a function gets the most at full speed,
    /// and which decode into some hundred MiB of memory.
    pub shard_bytes: u64,
    /// Who answers shards when there are several. Default: this process, one after the other.
    pub workers: Option<Arc<dyn Workers>>,
    /// A metrics query has so many samples at most: of more series than fit, the first are answered, and the answer says
    /// so. Default: four million, which take some 100 MB.
    pub most_samples: usize,
    /// What budgets and estimates are reckoned by. Default: AWS's list prices.
    pub prices: Prices,
}

impl Default for Settings {
    fn default() -> Self {
        Self { shard_bytes: 64 << 20, workers: None, most_samples: 4_000_000, prices: Prices::default() }
    }
}
