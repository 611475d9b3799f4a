//! Random bits: asked for here and nowhere else.

use std::sync::Arc;

use niente_compact::Random;

/// Those of the operating system: no two machines draw the same.
pub(crate) fn system() -> Random {
    Arc::new(|| {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the operating system has random bits");
        u128::from_ne_bytes(bits)
    })
}
