//! Random bits, for the functions: asked for here and nowhere else.

/// 128 bits from the operating system: no two processes draw the same.
pub fn bits() -> u128 {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the operating system has random bits");
    u128::from_ne_bytes(bits)
}
