//! Whether a write into the page cache will come back at once.
//!
//! Linux lets writers run free while the dirty pages of the machine are below the middle between two thresholds, and
//! makes them sleep above it. We ask whether they are below the lower one, and after an operation that took long all
//! the same we take the disk for busy for a while, whatever the figures say (a limit of the container's, a journal
//! that is full, a cold read).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How old the figures may be.
const FRESH: Duration = Duration::from_millis(50);
/// An operation that takes longer is long.
const LONG: Duration = Duration::from_millis(10);
/// How long the disk is taken for busy after a long operation.
const BUSY: Duration = Duration::from_secs(1);

/// Shared by all drives of a library: they have one disk.
pub(crate) struct Calm {
    start: Instant,
    /// Milliseconds after the start when the figures are to be looked at again.
    look_at: AtomicU64,
    below: AtomicBool,
    /// Milliseconds after the start until which the disk is taken for busy.
    busy_until: AtomicU64,
}

impl Calm {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { start: Instant::now(), look_at: zero(), below: AtomicBool::new(false), busy_until: zero() }
    }

    /// Operations on the page cache are brief now, as far as can be known.
    pub(crate) fn is_calm(&self) -> bool {
        let now = self.milliseconds();
        if now >= self.look_at.load(Ordering::Relaxed) {
            let next = now.saturating_add(u64::try_from(FRESH.as_millis()).unwrap_or(u64::MAX));
            self.look_at.store(next, Ordering::Relaxed);
            let figures = std::fs::read_to_string("/proc/vmstat");
            self.below.store(figures.is_ok_and(|text| is_below(&text)), Ordering::Relaxed);
        }
        self.below.load(Ordering::Relaxed) && now >= self.busy_until.load(Ordering::Relaxed)
    }

    /// An operation took that long.
    pub(crate) fn took(&self, time: Duration) {
        if time >= LONG {
            let until = self.milliseconds().saturating_add(u64::try_from(BUSY.as_millis()).unwrap_or(u64::MAX));
            self.busy_until.fetch_max(until, Ordering::Relaxed);
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The dirty pages in `/proc/vmstat` are below the threshold from which the kernel writes them in the background.
fn is_below(text: &str) -> bool {
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse::<u64>().ok()
    };
    let dirty =
        figure("nr_dirty").zip(figure("nr_writeback")).map(|(dirty, writeback)| dirty.saturating_add(writeback));
    dirty.zip(figure("nr_dirty_background_threshold")).is_some_and(|(dirty, threshold)| dirty < threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dirty_pages_are_compared_with_the_lower_threshold() {
        let text = |dirty: u64, writeback: u64| {
            format!(
                "nr_free_pages 9\nnr_dirty {dirty}\nnr_writeback {writeback}\nnr_writeback_temp 0\n\
                 nr_dirty_threshold 200\nnr_dirty_background_threshold 100\n"
            )
        };
        assert!(is_below(&text(60, 39)));
        assert!(!is_below(&text(60, 40)));
        assert!(!is_below(&text(100, 0)));
        assert!(!is_below(""));
        assert!(!is_below("nr_dirty 1\nnr_writeback x\nnr_dirty_background_threshold 9\n"));
    }

    #[test]
    fn a_long_operation_makes_the_disk_busy_for_a_while() {
        let calm = Calm::new();
        calm.look_at.store(u64::MAX, Ordering::Relaxed);
        calm.below.store(true, Ordering::Relaxed);
        calm.took(LONG.checked_sub(Duration::from_nanos(1)).unwrap());
        assert!(calm.is_calm());
        calm.took(LONG);
        assert!(!calm.is_calm());
        calm.busy_until.store(0, Ordering::Relaxed);
        assert!(calm.is_calm());
    }
}
