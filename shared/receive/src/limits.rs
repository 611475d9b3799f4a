use niente_model::Nanos;

/// How much of everything a request may have, so that memory and objects are bounded whatever is sent.
///
/// Nothing is cut silently. A request beyond the first three limits is an [`Error`](crate::Error) of the kind
/// `TooLarge`. What the others take away is counted in [`Warnings`](crate::Warnings) and stays visible in the span
/// itself: in its dropped counts, or in the attribute [`TRUNCATED`](crate::TRUNCATED).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body once decompressed. 64 MiB: ten times what a Lambda function can be sent, and four of the
    /// collector's default gRPC messages of 16 MiB.
    pub body_bytes: usize,
    /// Bytes of memory that the decoded messages may take without their texts. 256 MiB.
    ///
    /// A body is no measure of that: an empty span takes two bytes on the wire and some 350 in memory. Four times
    /// the body is more than attributes of usual lengths need.
    pub message_bytes: usize,
    /// Spans of a request. 100,000: a collector sends 8,192 at a time by default.
    pub spans: usize,
    /// Attributes of one span, event, link, scope or resource. 1,024, where SDKs stop at 128 by default. The first
    /// ones stay.
    pub attributes: usize,
    /// Bytes of an attribute's key. 1,024. An attribute with a longer one is dropped, for a cut key might be
    /// another attribute's.
    pub key_bytes: usize,
    /// Bytes of an attribute's value. 64 KiB. Longer strings and byte strings are cut, at a character's border.
    ///
    /// In arrays and maps each element counts 8 bytes and the length of its key, string or bytes. Elements that
    /// don't fit any more are left out.
    pub value_bytes: usize,
    /// How deep arrays and maps may be nested: 1 is an array of scalars. 16. Deeper ones become empty values.
    pub value_depth: usize,
    /// Events of a span. 4,096, where SDKs stop at 128 by default. The first ones stay.
    pub events: usize,
    /// Links of a span. 4,096, where SDKs stop at 128 by default. The first ones stay.
    pub links: usize,
    /// How far after `now` a span may start or end: senders' clocks are not all right. 2 hours.
    pub future: Nanos,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            message_bytes: 256 << 20,
            spans: 100_000,
            attributes: 1_024,
            key_bytes: 1_024,
            value_bytes: 64 << 10,
            value_depth: 16,
            events: 4_096,
            links: 4_096,
            future: Nanos::from_secs(2 * 3_600),
        }
    }
}
