//! Rules of business units, users, teams, roles and activities, through the one door
//! (`security.md` 1; `messages.md` 2.1, 6, 7).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bootstrap;
mod cascades;
mod roles;
mod teams;
mod tokens_and_activities;
mod units;
mod users;
mod world;
