//! The organization service: records behind one door.

pub mod clock;
pub mod fault;
pub mod limits;
pub mod metadata;
pub mod model;
pub mod records;
pub mod storage;
