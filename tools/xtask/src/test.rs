//! `cargo xtask test`: everything that a change must pass, without root and without a network.

use anyhow::Result;

use crate::process::{cargo, installed, succeeds};
use crate::summary::Summary;

pub(crate) fn run() -> Result<bool> {
    let mut summary = Summary::default();
    summary.step("format", || succeeds(cargo().args(["fmt", "--all", "--check"])));
    summary.step("clippy", || {
        succeeds(cargo().args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
    });
    summary.step("check", crate::check::run);
    summary.step("tests", tests);
    summary.step("documentation tests", || succeeds(cargo().args(["test", "--workspace", "--doc", "--quiet"])));
    println!("\n{summary}");
    Ok(summary.passed())
}

/// nextest where it is installed: each test in a process of its own, and a clear summary.
fn tests() -> Result<bool> {
    if installed("cargo-nextest") {
        succeeds(cargo().args(["nextest", "run", "--workspace", "--all-targets", "--no-fail-fast"]))
    } else {
        succeeds(cargo().args(["test", "--workspace", "--all-targets", "--no-fail-fast", "--quiet"]))
    }
}
