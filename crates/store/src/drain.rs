//! How fast bytes leave the upload buffer.
//!
//! Whole segments leave at once, so what counts is what has left over a window that takes in several of them.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back is looked.
const WINDOW: Duration = Duration::from_secs(16);
/// How often what has left is noted: a sixteenth of the window.
const SPACING: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Note {
    at: Duration,
    left: u64,
}

/// Notes of how many bytes had left when, in ascending order of both.
#[derive(Debug, Default)]
pub(crate) struct Drain(VecDeque<Note>);

impl Drain {
    /// `left` bytes in all have left until `now`. Kept is one note from before the window, or the rate after a pause
    /// would be nothing.
    pub(crate) fn note(&mut self, now: Duration, left: u64) {
        if self.0.back().is_some_and(|last| now < last.at.saturating_add(SPACING)) {
            return;
        }
        let begin = now.saturating_sub(WINDOW);
        while self.0.get(1).is_some_and(|second| second.at <= begin) {
            self.0.pop_front();
        }
        self.0.push_back(Note { at: now, left });
    }

    /// Bytes a second since the oldest note. What has been looked at for less than a second counts as a second.
    pub(crate) fn rate(&self, now: Duration, left: u64) -> u64 {
        let Some(oldest) = self.0.front() else { return 0 };
        let time = now.saturating_sub(oldest.at).max(SPACING).as_millis().max(1);
        let bytes = u128::from(left.saturating_sub(oldest.left)).saturating_mul(1000);
        u64::try_from(bytes.checked_div(time).unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn whole_segments_are_spread_over_the_window() {
        let mut drain = Drain::default();
        assert_eq!(drain.rate(Duration::ZERO, 0), 0);
        let mut rates = Vec::new();
        // 640 bytes leave every 4 seconds.
        for second in 0..40 {
            let (now, left) = (SECOND * second, u64::from(second / 4) * 640);
            drain.note(now, left);
            rates.push(drain.rate(now, left));
        }
        assert_eq!(rates[..9], [0, 0, 0, 0, 160, 128, 106, 91, 160]);
        assert!(rates[16..].iter().all(|rate| (150..=160).contains(rate)), "{rates:?}");
        assert!(drain.0.len() <= 18, "{}", drain.0.len());
    }

    #[test]
    fn the_window_forgets_and_a_pause_does_not() {
        let mut drain = Drain::default();
        drain.note(Duration::ZERO, 0);
        for second in 1..=20 {
            drain.note(SECOND * second, 1000);
        }
        assert_eq!(drain.rate(SECOND * 20, 1000), 0, "that was before the window");
        let later = SECOND * 120;
        drain.note(later, 101_000);
        assert_eq!(drain.rate(later, 101_000), 1000, "100 seconds, of which nobody looked");
    }

    #[test]
    fn a_burst_within_the_first_second_is_not_taken_for_more_than_it_is() {
        let mut drain = Drain::default();
        drain.note(SECOND, 0);
        assert_eq!(drain.rate(SECOND + Duration::from_millis(1), 5000), 5000);
    }
}
