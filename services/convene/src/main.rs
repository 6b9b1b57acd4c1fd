//! The `convene` binary.
fn main() {}
