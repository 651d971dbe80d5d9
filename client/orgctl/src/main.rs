//! orgctl
fn main() {}
