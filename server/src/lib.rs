//! The organization service: records behind one door, and a reason for every refusal.
//!
//! The binary (`main.rs`) reads the configuration, opens a store and calls [`transport::serve`]; a
//! test does the same with a listener on port 0. `ARCHITECTURE.md` has the map of the whole; this
//! page is the order in which to read the files, which is the order in which a request passes them.
//!
//! # One Retrieve with a `caller-id`
//!
//! 1. `transport/incoming.rs`, `transport/server.rs`: a connection, within its limits.
//! 2. `transport/gate.rs`: the token is looked up ([`identity`],
//!    [`Organization::authenticate`](organization::Organization::authenticate)), then the caller
//!    keys are resolved to the pair of *authenticated user* (A) and *impersonated user* (B)
//!    ([`caller`]). Only now is the message read, under the bound of `transport/length.rs`.
//! 3. `transport/organization_service.rs`, `transport/convert/`: the message becomes an
//!    [`OrganizationRequest`](model::OrganizationRequest), the same one that Execute would carry.
//!    `transport/call.rs` decides on which thread the rest runs; from here on nothing is async.
//! 4. [`organization`]: the one door. It opens a view of the store, takes the [`snapshot`] of the
//!    same moment, and admits the pair once more against it ([`operations::Work`]).
//! 5. [`operations`]: the message is found by name. [`pipeline`] runs its `check`, then its
//!    `perform`.
//! 6. `operations/retrieve.rs`: `check` asks for the privilege, loads the record and asks for
//!    access; `operations/authorizer.rs` brings the facts, and the crate `orgservice_security`
//!    decides.
//! 7. [`records`]: the columns that were asked for, with their display texts.
//! 8. `transport/convert/` and `transport/status.rs`: the answer, or the [`fault`] with its
//!    details.
//!
//! # What a Create adds
//!
//! 1. [`organization`] opens a transaction instead of a view, and runs the message again when
//!    another commit was faster. The version of the directory is part of what the transaction
//!    reads. A request with an id is answered from [`memory`] if it ran before.
//! 2. `operations/create.rs`: [`records`] validates the values, `operations/ownership.rs` settles
//!    the owner, access is asked of the record to be; then `operations/stamps.rs` writes who and
//!    when, and `operations/tables/` what is special about the table.
//! 3. [`storage`]: writes are kept in the transaction, index entries with them; the commit is
//!    validated, applied with others as one batch, synced, and only then answered.
//!
//! # What a RetrieveMultiple adds
//!
//! `operations/retrieve_multiple.rs` turns the rule of access into a filter of rows, and [`query`]
//! binds, plans and runs: `query/bind.rs`, `query/plan.rs`, `query/stream.rs`, `query/execute.rs`,
//! `query/paging.rs`.
//!
//! # What they stand on
//!
//! [`model`] holds the domain's own values, [`metadata`] which tables and columns exist,
//! [`directory`] who is who; [`limits`] every bound, [`clock`] time and ids, [`config`] how to run
//! the server.

pub mod caller;
pub mod clock;
pub mod config;
pub mod directory;
pub mod fault;
pub mod identity;
pub mod limits;
pub mod memory;
pub mod metadata;
pub mod model;
pub mod operations;
pub mod organization;
pub mod pipeline;
pub mod query;
pub mod records;
pub mod snapshot;
pub mod storage;
pub mod transport;
