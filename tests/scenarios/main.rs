//! Who may do what, and what comes of it, through a real socket: the worked examples of the
//! specification, from the files beside this one, and those that no file can tell.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod batches;
mod concurrency;
mod contract;
mod delegates;
mod format;
mod invariants;
mod messages;
mod outcomes;
mod pair;
mod reach;
mod runner;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use format::File;
use runner::play_file;

/// The files with the numbered examples of `security.md` 13.
const SECURITY: [&str; 5] = [
    "intersection.toml",
    "depth.toml",
    "sharing.toml",
    "impersonation.toml",
    "administration.toml",
];

#[test]
fn every_worked_example_of_the_specification_is_there_once() {
    let mut seen: BTreeMap<u32, u32> = BTreeMap::new();
    for file in SECURITY {
        for example in File::read(file).example {
            if let Some(number) = example.number {
                *seen.entry(number).or_default() += 1;
            }
        }
    }
    let once: BTreeMap<u32, u32> = (1..=70).map(|number| (number, 1)).collect();
    assert_eq!(seen, once);
}

#[tokio::test(flavor = "multi_thread")]
async fn intersection() {
    play_file("intersection.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn depth() {
    play_file("depth.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sharing() {
    play_file("sharing.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impersonation() {
    play_file("impersonation.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administration() {
    play_file("administration.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_messages() {
    play_file("messages.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn principals() {
    play_file("principals.toml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules() {
    play_file("rules.toml").await;
}
