//! What holds for the contract as a whole, through a real socket: every RPC asks who calls, both doors
//! are one, every bad input is refused by name, and the JSON that people write stays what it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod caller_keys;
mod doors;
mod golden;
mod raw;
mod twins;
