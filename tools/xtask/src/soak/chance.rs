//! When something dies, decided by the seed.

use std::thread::sleep;
use std::time::Duration;

/// A splitmix64 generator.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Once in `many` cases.
    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.next().is_multiple_of(many)
    }

    /// One of them.
    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.next() % 1024).unwrap_or(0).checked_rem(from.len()).unwrap_or(0);
        from.get(index).copied().unwrap_or_default()
    }

    /// Waits between `low` and `high` milliseconds; how long it was.
    pub(super) fn wait(&mut self, low: u64, high: u64) -> Duration {
        let span = high.saturating_sub(low).saturating_add(1);
        // Microseconds, so that a death finds every place.
        let time = Duration::from_micros(low * 1000 + self.next() % (span * 1000));
        sleep(time);
        time
    }
}
