//! One line for each step.

use std::time::Instant;

use serde_json::json;

use crate::output;

/// Prints the steps.
pub(super) struct Report {
    json: bool,
    start: Instant,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, start: Instant::now() }
    }

    /// Something was shown.
    pub(super) fn step(&mut self, name: &str, text: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        if self.json {
            output::json_line(&json!({ "seconds": seconds, "step": name, "text": text }));
        } else {
            output::print(&format!("{seconds:6.2} s  {name:<8}  {text}"));
        }
    }

    /// Everything was shown.
    pub(super) fn end(&mut self) {
        self.step("passed", "everything that was acknowledged before the crash was there after it");
    }
}
