//! The contract of the organization service.
