//! The crate against the specification: a naive model of it (`reference.rs`), all cases of an
//! abstract space, random worlds, the invariants of §12.1 and the worked examples of §13.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod examples;
mod exhaustive;
mod facts;
mod fixture;
mod impersonation_examples;
mod invariants;
mod properties;
mod reference;
mod worlds;
