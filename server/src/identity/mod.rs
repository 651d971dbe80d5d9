//! Who holds a credential: bearer tokens, how they are made, and how they are read.
//!
//! Pure. The store keeps a hash of each token, never the token; nothing here logs one.

mod token;

pub use token::{bearer, hash_token, new_token};
