//! gRPC: from a socket to a call of the [`Organization`](crate::organization::Organization), and
//! back.
//!
//! One call passes, in this order: the limits of the connection (`server.rs`, `incoming.rs`); the
//! gate, which names the caller before a byte of the message is read (`gate.rs`, `metadata.rs`);
//! the bound on the length of the message (`length.rs`); the handler of its RPC
//! (`organization_service.rs`, `admin_service.rs`), which translates it (`convert/`) and runs it
//! (`call.rs`). Every refusal leaves as a status with details (`status.rs`).
//!
//! Nothing here decides who may do what, or knows how anything is stored.

mod admin_service;
mod call;
mod convert;
mod gate;
mod incoming;
mod length;
mod metadata;
mod organization_service;
mod server;
mod status;

pub use server::{ServeError, TlsOptions, TransportOptions, serve};

#[cfg(test)]
mod tests;
