use std::ops::Range;

/// The largest gap between two ranges that one request reads along, in bytes.
///
/// A `GET` costs as much as 30 ms of a function of 1 GB, and has a first byte after some 30 ms; in that time a
/// connection that carries 85 MB/s reads 2.5 MB. So many bytes for nothing would pay even so, but a function's network
/// is a budget too (300 MB fast, then 75 MB/s for all its connections), and unread columns are large: a tenth of that.
pub const COALESCE_GAP: u64 = 256 << 10;

/// The requests that reading `ranges` of one object takes: sorted, without empty ones, and those merged that overlap or
/// are at most `gap` bytes apart.
///
/// Reversed ranges are left out, as empty ones are: a store refuses them before it asks.
///
/// ```
/// use niente_store::coalesce;
///
/// assert_eq!(coalesce(&[900..1000, 0..10, 20..30, 5..5], 100), [0..30, 900..1000]);
/// ```
pub fn coalesce(ranges: &[Range<u64>], gap: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<_> = ranges.iter().filter(|range| range.start < range.end).cloned().collect();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(gap) => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Which of the merged ranges holds `range`: `None` if it is empty or reversed and so in none.
pub(crate) fn holder(merged: &[Range<u64>], range: &Range<u64>) -> Option<usize> {
    if range.start >= range.end {
        return None;
    }
    merged.partition_point(|whole| whole.start <= range.start).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_range_lies_in_one_request_and_requests_lie_apart(
            starts in prop::collection::vec((0_u64..5_000, 0_u64..300), 0..30),
            gap in 0_u64..400,
        ) {
            let ranges: Vec<_> = starts.into_iter().map(|(start, length)| start..start + length).collect();
            let merged = coalesce(&ranges, gap);
            for pair in merged.windows(2) {
                prop_assert!(pair[0].end + gap < pair[1].start);
            }
            for range in &ranges {
                match holder(&merged, range) {
                    Some(at) => prop_assert!(merged[at].start <= range.start && range.end <= merged[at].end),
                    None => prop_assert!(range.is_empty()),
                }
            }
            // Nothing is read but ranges and gaps: each end is some range's own.
            for whole in &merged {
                prop_assert!(ranges.iter().any(|range| range.start == whole.start && !range.is_empty()));
                prop_assert!(ranges.iter().any(|range| range.end == whole.end && !range.is_empty()));
            }
        }
    }
}
