//! The organization service: records behind one door.

#[path = "stand_in/caller.rs"]
pub mod caller;
pub mod clock;
pub mod config;
pub mod directory;
pub mod fault;
pub mod identity;
pub mod limits;
pub mod metadata;
pub mod model;
#[path = "stand_in/organization.rs"]
pub mod organization;
pub mod records;
pub mod storage;
pub mod token;
pub mod transport;
