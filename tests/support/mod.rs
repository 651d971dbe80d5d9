//! What the tests through a real socket share: a server on a free port, clients of it, and a small
//! organization whose users, teams, roles and records are known by name.
//!
//! Nothing here decides what is right: that stands in the scenario files and in the tests.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests; and each test binary uses a part of it"
)]

pub mod client;
pub mod fixture;
pub mod notation;
pub mod server;
pub mod values;
pub mod world;
