//! Times in microseconds.

use std::time::{Duration, Instant};

/// Since then.
pub(crate) fn since(start: Instant) -> u64 {
    micros(start.elapsed())
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
