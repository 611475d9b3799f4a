//! The IDs that Lambda makes up.

use crate::clock;

/// A random UUID.
pub(crate) fn request_id() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// X-Ray's header for a trace that nobody samples.
pub(crate) fn trace_id() -> String {
    let (seconds, trace) = (clock::now().as_secs(), fastrand::u128(..) >> 32);
    format!("Root=1-{seconds:08x}-{trace:024x};Parent={:016x};Sampled=0", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_random_uuids() {
        let (one, other) = (request_id(), request_id());
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[14..15]), (36, "4"), "{one}");
        assert!("89ab".contains(&one[19..20]), "{one}");
    }
}
