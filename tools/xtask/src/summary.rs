//! A list of named results with their durations, printed at the end of a run.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

struct Row {
    name: String,
    passed: bool,
    took: Duration,
}

/// What was run and how it ended.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<Row>,
}

impl Summary {
    /// Runs one step. An error counts as a failure and is printed, so that the steps after it still run.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<bool>) {
        println!("\n== {name}");
        let start = Instant::now();
        let passed = step().unwrap_or_else(|error| {
            println!("{error:#}");
            false
        });
        self.rows.push(Row { name: name.to_owned(), passed, took: start.elapsed() });
    }

    /// Whether there was a step and none failed.
    pub(crate) fn passed(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.passed)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let word = if row.passed { "ok" } else { "FAILED" };
            writeln!(f, "{:8.1}s  {:24} {word}", row.took.as_secs_f64(), row.name)?;
        }
        let failed = self.rows.iter().filter(|row| !row.passed).count();
        write!(f, "{} passed, {failed} failed", self.rows.len() - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_failure_and_later_steps_run() {
        let mut summary = Summary::default();
        summary.step("first", || anyhow::bail!("broken"));
        summary.step("second", || Ok(true));
        assert!(!summary.passed());
        assert!(summary.to_string().ends_with("1 passed, 1 failed"));
    }

    #[test]
    fn nothing_run_is_not_a_pass() {
        assert!(!Summary::default().passed());
    }
}
