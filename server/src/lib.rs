//! The organization service: records behind one door.

pub mod caller;
pub mod clock;
pub mod directory;
pub mod fault;
pub mod limits;
pub mod metadata;
pub mod model;
pub mod records;
pub mod storage;
pub mod token;
