//! What a function says that can't start.

#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn a_missing_variable_is_named() {
    let started = Command::new(env!("CARGO_BIN_EXE_niente-compact")).env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(!started.status.success() && said.contains("NIENTE_STORE is not set"), "{said}");
}
