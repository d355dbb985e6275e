//! Checks, tests and client jobs of the workspace.
fn main() {}
