//! The organization service: records behind one door.

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
