//! What a question would read and cost, and why.

use niente_catalog::{BlockRef, Snapshot};
use niente_cost::{Dollars, Spent};
use niente_model::TimeRange;

use crate::{Asking, Error, SearchQuestion, Wave, search};

/// What a search would read and cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The time in which traces are looked for.
    pub window: TimeRange,
    /// The time in which spans belong to them.
    pub reach: TimeRange,
    /// What is known of the days within reach, and what is left out of it.
    pub pruned: Vec<Pruned>,
    /// What is left to read, by level of compaction.
    pub levels: Vec<Level>,
    /// The search goes through these one after the other, and ends with the first that has the answer.
    pub waves: Vec<Wave>,
    /// What the first wave costs: the least.
    pub least: Estimate,
    /// What all waves cost: the most.
    pub most: Estimate,
    /// What explaining has cost.
    pub spent: Spent,
}

/// Objects that are not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// What rules them out.
    pub by: &'static str,
    /// How many.
    pub objects: usize,
    /// How large they are.
    pub bytes: u64,
}

/// Objects of one level of compaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// 0 as ingest wrote them.
    pub level: u8,
    /// How many.
    pub objects: usize,
    /// How large they are.
    pub bytes: u64,
}

/// About what something costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// In requests, bytes and workers' time.
    pub spent: Spent,
    /// In money.
    pub dollars: Dollars,
}

pub(crate) async fn explain(
    asking: &Asking,
    snapshot: Snapshot,
    question: &SearchQuestion,
    reach: TimeRange,
) -> Result<Explanation, Error> {
    let waves = search::waves(asking, &snapshot, question).await?;
    Ok(of_waves(asking, &snapshot, question.window, reach, waves))
}

/// What these waves read and cost, each with all before it.
pub(crate) fn of_waves(
    asking: &Asking,
    snapshot: &Snapshot,
    window: TimeRange,
    reach: TimeRange,
    waves: Vec<Wave>,
) -> Explanation {
    let estimate = |spent: Spent| Estimate { spent, dollars: asking.settings.prices.of(&spent) };
    // The snapshot itself is part of the price, and is paid by now.
    let base = asking.spent();
    let first = waves.first().map(|wave| wave.spent).unwrap_or_default();
    let all = waves.iter().map(|wave| wave.spent).fold(base, |all, wave| all + wave);
    Explanation {
        window,
        reach,
        pruned: pruned(snapshot, reach),
        levels: levels(&snapshot.objects),
        least: estimate(base + first),
        most: estimate(all),
        waves,
        spent: base,
    }
}

/// What the days' catalogs know and the search passes over.
fn pruned(snapshot: &Snapshot, reach: TimeRange) -> Vec<Pruned> {
    let blocks = || snapshot.days().flat_map(|day| day.blocks());
    let beyond = blocks().filter(|block| !block.hours.times().overlaps(reach));
    let (objects, bytes) = beyond.fold((0, 0), |(objects, bytes), block| (objects + 1, bytes + block.bytes));
    let replaced = snapshot.days().map(|day| day.replaced().len()).sum();
    let pruned = [
        Pruned { by: "its hours lie beyond the time range and 24 hours around it", objects, bytes },
        // Their sizes are not remembered.
        Pruned { by: "compaction has replaced it", objects: replaced, bytes: 0 },
    ];
    pruned.into_iter().filter(|pruned| pruned.objects > 0).collect()
}

fn levels(objects: &[BlockRef]) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    for object in objects {
        match levels.iter_mut().find(|level| level.level == object.level) {
            Some(level) => {
                level.objects += 1;
                level.bytes += object.size;
            }
            None => levels.push(Level { level: object.level, objects: 1, bytes: object.size }),
        }
    }
    levels.sort_by_key(|level| level.level);
    levels
}
