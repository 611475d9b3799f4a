use std::fmt;

/// What was changed in the spans that were taken, counted.
///
/// Printed, it is the second half of partial success's `error_message`. A warning alone, with no span rejected, is
/// what OTLP asks of a server that took everything but has something to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Warnings {
    /// Spans with an end before their start: kept, with the duration 0.
    pub negative_durations: usize,
    /// Attribute values that were cut, for length or for depth.
    pub cut_values: usize,
    /// Attributes dropped because their list was full.
    pub surplus_attributes: usize,
    /// Attributes dropped because their key was too long.
    pub long_keys: usize,
    /// Events dropped because their span had too many.
    pub surplus_events: usize,
    /// Links dropped because their span had too many.
    pub surplus_links: usize,
}

impl Warnings {
    /// Whether everything was kept as it came.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.negative_durations, "spans ended before they started, their duration is set to 0"),
            (self.cut_values, "attribute values were cut for their size or depth, niente.truncated lists their keys"),
            (self.surplus_attributes, "attributes were dropped, their list had too many"),
            (self.long_keys, "attributes were dropped, their key was too long"),
            (self.surplus_events, "events were dropped, their span had too many"),
            (self.surplus_links, "links were dropped, their span had too many"),
        ];
        f.write_str("taken with changes")?;
        for (at, (count, what)) in parts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
            write!(f, "{} {what} ({count})", if at == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}
