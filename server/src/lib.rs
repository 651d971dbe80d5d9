//! The organization service: records behind one door.

pub mod clock;
pub mod fault;
pub mod limits;
pub mod model;
pub mod storage;
