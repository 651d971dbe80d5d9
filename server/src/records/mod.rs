//! Records against their tables.
