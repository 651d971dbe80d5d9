//! What no compiler checks: layers, where access is decided, purity, and the order of the house.
//!
//! Each check names what it found as `file:line: what is wrong`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod boundaries;
mod documents;
mod hygiene;
mod layers;
mod source;

/// Fails with one line for each finding.
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
