//! Random bits: asked for here and nowhere else. They are the operating system's, fit for secrets.

use std::sync::Arc;

use niente_compact::Random;

/// Draws numbers for those who ask later: no two machines draw the same.
pub(crate) fn system() -> Random {
    Arc::new(|| u128::from_ne_bytes(bytes()))
}

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bits");
    bytes
}
