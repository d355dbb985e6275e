//! The one place where calls to a tier are repeated.
//!
//! [`Retry`] decides without a clock and without chance of its own: both are arguments. Only errors that can go away by
//! themselves are worth repeating; waits grow exponentially, are spread by chance so that ten drives do not come back
//! at once, respect what the tier asked for, and end with a budget. [`retry`] waits, and tells of every failure.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{TierError, TierErrorKind};

/// How long and how often to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// The longest wait before the first repetition; doubled before each further one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// Calls in all, at least 1.
    pub attempts: u32,
    /// Time from the first call to the beginning of the last.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    /// For a call that somebody waits for: up to two minutes.
    fn default() -> Self {
        let (first, longest) = (Duration::from_millis(200), Duration::from_secs(20));
        Self { first, longest, attempts: 12, budget: Duration::from_secs(120) }
    }
}

/// A call and its repetitions.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    policy: RetryPolicy,
    began: Duration,
}

impl Retry {
    /// A call that begins at `now`, a time on any clock that does not go back.
    #[must_use]
    pub fn new(policy: RetryPolicy, now: Duration) -> Self {
        Self { policy, began: now }
    }

    /// How long to wait before the next call, after call number `attempt` (from 1) has failed at `now` with an error
    /// of that kind; `None` if there is to be no other. `random` is any number, each as likely as any other.
    #[must_use]
    pub fn next_delay(
        &self,
        attempt: u32,
        kind: TierErrorKind,
        retry_after: Option<Duration>,
        now: Duration,
        random: u64,
    ) -> Option<Duration> {
        if !kind.is_transient() || attempt >= self.policy.attempts {
            return None;
        }
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let ceiling = self.policy.first.saturating_mul(doubled).min(self.policy.longest);
        // Between half of it and all of it: spread, but never at once.
        let half = ceiling / 2;
        let spread = half.saturating_mul(u32::try_from(random >> 48).unwrap_or(0)) / 0xffff;
        let delay = half.saturating_add(spread).max(retry_after.unwrap_or_default());
        let spent = now.saturating_sub(self.began);
        (spent.saturating_add(delay) <= self.policy.budget).then_some(delay)
    }
}

/// A call that failed, as [`retry`] tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Why it failed.
    pub error: &'a TierError,
    /// How long it will be until the next call, or `None` if there will be none.
    pub delay: Option<Duration>,
}

/// Calls `call` until it succeeds, fails for good, or the budget is spent; `failed` hears of each failure. Dropping the
/// future gives up at once, also during a wait.
///
/// # Errors
/// The last call's.
pub async fn retry<T, F>(
    policy: RetryPolicy,
    mut failed: impl FnMut(Attempt<'_>),
    mut call: impl FnMut() -> F,
) -> Result<T, TierError>
where
    F: Future<Output = Result<T, TierError>>,
{
    let began = Instant::now();
    let state = Retry::new(policy, Duration::ZERO);
    let mut number = 1;
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        // Without chance there is no spread, which is no reason to fail.
        let random = getrandom::u64().unwrap_or(u64::MAX);
        let delay = state.next_delay(number, error.kind, error.retry_after, began.elapsed(), random);
        failed(Attempt { number, error: &error, delay });
        let Some(delay) = delay else { return Err(error) };
        sleep(delay).await;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(1),
        attempts: 8,
        budget: Duration::from_secs(10),
    };

    fn error(kind: TierErrorKind) -> TierError {
        TierError::new(kind, "create", "v1/x", "as told")
    }

    #[test]
    fn waits_grow_to_the_longest_and_are_spread() {
        let state = Retry::new(POLICY, Duration::from_secs(5));
        let delay = |attempt, random| {
            state.next_delay(attempt, TierErrorKind::Unavailable, None, Duration::from_secs(5), random)
        };
        let shortest: Vec<_> = (1..=8).map(|attempt| delay(attempt, 0)).collect();
        let millis = |list: [u64; 7]| list.map(|n| Some(Duration::from_millis(n))).to_vec();
        assert_eq!(shortest, [millis([50, 100, 200, 400, 500, 500, 500]), vec![None]].concat());
        let longest: Vec<_> = (1..=8).map(|attempt| delay(attempt, u64::MAX)).collect();
        assert_eq!(longest, [millis([100, 200, 400, 800, 1000, 1000, 1000]), vec![None]].concat());
        assert_eq!(
            Retry::new(RetryPolicy { attempts: u32::MAX, ..POLICY }, Duration::ZERO).next_delay(
                4_000_000_000,
                TierErrorKind::Throttled,
                None,
                Duration::ZERO,
                0
            ),
            Some(Duration::from_millis(500))
        );
    }

    #[test]
    fn only_what_may_go_away_is_repeated() {
        use TierErrorKind::{
            Conflict, Corrupt, Credentials, Denied, Misconfigured, NoSpace, NotFound, Throttled, Unavailable,
        };
        let state = Retry::new(POLICY, Duration::ZERO);
        for kind in [Conflict, Throttled, Unavailable] {
            assert!(state.next_delay(1, kind, None, Duration::ZERO, 1).is_some(), "{kind}");
        }
        for kind in [NotFound, Denied, Corrupt, NoSpace, Misconfigured, Credentials] {
            assert_eq!(state.next_delay(1, kind, None, Duration::ZERO, 1), None, "{kind}");
        }
    }

    #[test]
    fn the_budget_ends_it_and_what_the_tier_asks_for_is_respected() {
        let state = Retry::new(POLICY, Duration::from_secs(1));
        let at = |seconds, after: Option<u64>| {
            let now = Duration::from_secs(seconds);
            state.next_delay(1, TierErrorKind::Throttled, after.map(Duration::from_secs), now, 0)
        };
        assert_eq!(at(1, Some(10)), Some(Duration::from_secs(10)));
        assert_eq!(at(1, Some(11)), None, "it would be over then");
        assert_eq!(at(10, None), Some(Duration::from_millis(50)));
        assert_eq!(at(11, None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn every_failure_is_told_and_the_last_one_returned() {
        let mut told = Vec::new();
        let mut calls = 0;
        let result = retry(
            POLICY,
            |attempt| told.push((attempt.number, attempt.error.kind, attempt.delay.is_some())),
            || {
                calls += 1;
                let answer = match calls {
                    1 | 2 => Err(error(TierErrorKind::Unavailable)),
                    3 => Ok(7),
                    _ => Err(error(TierErrorKind::Denied)),
                };
                std::future::ready(answer)
            },
        )
        .await;
        assert_eq!(result, Ok(7));
        assert_eq!(told, [(1, TierErrorKind::Unavailable, true), (2, TierErrorKind::Unavailable, true)]);
        let refused = retry(
            POLICY,
            |attempt| assert_eq!(attempt.delay, None),
            || std::future::ready(Err::<(), _>(error(TierErrorKind::Denied))),
        );
        assert_eq!(refused.await, Err(error(TierErrorKind::Denied)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tier_that_stays_away_is_given_up_within_the_budget() {
        let began = Instant::now();
        let mut calls = 0;
        let policy = RetryPolicy { attempts: 1000, ..POLICY };
        let result = retry(
            policy,
            |_| (),
            || {
                calls += 1;
                std::future::ready(Err::<(), _>(error(TierErrorKind::Unavailable)))
            },
        );
        assert_eq!(result.await, Err(error(TierErrorKind::Unavailable)));
        assert!(calls > 10 && began.elapsed() <= POLICY.budget, "{calls} calls in {:?}", began.elapsed());
    }
}
