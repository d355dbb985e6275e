//! How fast something goes, and how fast it may go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Over how long a rate is measured.
const WINDOW: Duration = Duration::from_secs(10);

/// Bytes of the last seconds, and since the start.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    started: Instant,
    total: u64,
    recent: VecDeque<(Instant, u64)>,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Counted { started: Instant::now(), total: 0, recent: VecDeque::new() }))
    }

    pub(crate) fn count(&self, bytes: u64) {
        let mut counted = self.lock();
        counted.total = counted.total.saturating_add(bytes);
        counted.forget(Instant::now());
        counted.recent.push_back((Instant::now(), bytes));
    }

    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    /// Bytes a second.
    pub(crate) fn rate(&self) -> u64 {
        let mut counted = self.lock();
        let now = Instant::now();
        counted.forget(now);
        let bytes: u64 = counted.recent.iter().map(|(_, bytes)| *bytes).sum();
        let seconds = now.duration_since(counted.started).min(WINDOW).as_secs().max(1);
        bytes / seconds
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn forget(&mut self, now: Instant) {
        while self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
    }
}

/// How many bytes a second may go. Whoever wants to send waits until what went before has had its time.
#[derive(Debug)]
pub(crate) struct Limiter {
    pace: Mutex<Pace>,
    /// The rate is another one.
    changed: Notify,
}

#[derive(Debug)]
struct Pace {
    rate: Option<u64>,
    /// An operator has said so.
    fixed: bool,
    /// When what was let through so far has had its time.
    free_at: Instant,
}

impl Limiter {
    pub(crate) fn new(rate: Option<u64>) -> Self {
        Self { pace: Mutex::new(Pace { rate, fixed: false, free_at: Instant::now() }), changed: Notify::new() }
    }

    pub(crate) fn rate(&self) -> Option<u64> {
        self.lock().rate
    }

    /// As an operator says, from now on.
    pub(crate) fn set(&self, rate: Option<u64>) {
        let mut pace = self.lock();
        pace.fixed = true;
        self.change(&mut pace, rate);
    }

    /// As the configuration says for now, unless an operator has said otherwise.
    pub(crate) fn follow(&self, rate: Option<u64>) {
        let mut pace = self.lock();
        if !pace.fixed {
            self.change(&mut pace, rate);
        }
    }

    /// Waits for its turn to send so many bytes.
    pub(crate) async fn pass(&self, bytes: u64) {
        loop {
            let changed = self.changed.notified();
            let at = self.reserve(bytes, Instant::now());
            tokio::select! {
                () = tokio::time::sleep_until(at.into()) => return,
                () = changed => {}
            }
        }
    }

    /// What was promised at another rate is forgotten: whoever waits asks again.
    fn change(&self, pace: &mut Pace, rate: Option<u64>) {
        if pace.rate != rate {
            pace.rate = rate;
            pace.free_at = Instant::now();
            self.changed.notify_waiters();
        }
    }

    /// When so many bytes may go.
    fn reserve(&self, bytes: u64, now: Instant) -> Instant {
        let mut pace = self.lock();
        let Some(rate) = pace.rate else { return now };
        let begin = pace.free_at.max(now);
        let nanos = u128::from(bytes).saturating_mul(1_000_000_000) / u128::from(rate.max(1));
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        pace.free_at = begin.checked_add(takes).unwrap_or(begin);
        // It is sent at once when its time is over, so that no more than the rate went by then.
        pace.free_at
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_at_the_rate_and_no_faster() {
        let limiter = Limiter::new(Some(1000));
        let now = Instant::now() + Duration::from_secs(5);
        let after = |at: Instant| at.duration_since(now);
        assert_eq!(after(limiter.reserve(500, now)), Duration::from_millis(500));
        assert_eq!(after(limiter.reserve(2000, now)), Duration::from_millis(2500));
        let later = now + Duration::from_secs(10);
        assert_eq!(after(limiter.reserve(1000, later)), Duration::from_secs(11), "time that passes is not saved up");
        limiter.follow(None);
        assert_eq!(after(limiter.reserve(u64::MAX, now)), Duration::ZERO);
        limiter.set(None);
        limiter.follow(Some(1));
        assert_eq!(limiter.rate(), None, "an operator's word counts");
        limiter.set(Some(0));
        assert!(limiter.reserve(1, now) > now, "a limit of nothing is no division by it");
    }

    #[test]
    fn what_was_counted_is_all_there() {
        let meter = Meter::new();
        meter.count(10);
        meter.count(20);
        assert_eq!((meter.total(), meter.rate()), (30, 30));
    }
}
