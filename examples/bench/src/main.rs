//! The bench application.
fn main() {}
