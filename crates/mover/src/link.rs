//! A tier with patience: calls are repeated here, and here alone, counted, limited and paused.

use std::future::Future;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capstan_tier::{Attempt, Body, Created, Listing, ObjectInfo, RetryPolicy, Tier, TierError, TierErrorKind, retry};
use tokio::sync::watch;

use crate::notice::{Listener, NoticeKind};
use crate::rate::{Limiter, Meter};
use crate::timed::Timed;
use crate::view::TierState;

/// How patient calls are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// With calls that only we wait for: for ever, as long as the error can go away.
    pub shipping: RetryPolicy,
    /// With calls that a host waits for.
    pub recall: RetryPolicy,
    /// The longest time to an answer, besides the time that the bytes need at 64 KiB a second.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let waits = RetryPolicy { attempts: u32::MAX, ..RetryPolicy::default() };
        Self {
            shipping: RetryPolicy { budget: Duration::MAX, ..waits },
            recall: RetryPolicy { budget: Duration::from_secs(600), longest: Duration::from_secs(5), ..waits },
            answer: Duration::from_secs(120),
        }
    }
}

/// The operation that shipping needs.
const WRITE: &str = "create";

/// A tier, and how it is doing.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) tier: Arc<dyn Tier>,
    patience: Patience,
    listener: Listener,
    health: Mutex<Health>,
    pub(crate) paused: watch::Sender<bool>,
    pub(crate) upload: Limiter,
    pub(crate) download: Limiter,
    pub(crate) sent: Meter,
    pub(crate) fetched: Meter,
    retries: AtomicU64,
    /// Calls that were told to slow down.
    throttled: AtomicU64,
}

#[derive(Debug)]
struct Health {
    state: TierState,
    problem: Option<String>,
    /// What failed last; [`WRITE`] until that succeeds.
    failing: Option<&'static str>,
    last_error: Option<(SystemTime, String)>,
}

impl Link {
    pub(crate) fn new(tier: Arc<dyn Tier>, patience: Patience, listener: Listener, paused: bool) -> Self {
        Self {
            tier,
            patience,
            listener,
            health: Mutex::new(Health { state: TierState::Connecting, problem: None, failing: None, last_error: None }),
            paused: watch::Sender::new(paused),
            upload: Limiter::new(None),
            download: Limiter::new(None),
            sent: Meter::new(),
            fetched: Meter::new(),
            retries: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        }
    }

    /// The tier, each call in time.
    pub(crate) fn timed(&self) -> Timed<'_> {
        Timed(self)
    }

    /// The longest time to an answer.
    pub(crate) fn answer(&self) -> Duration {
        self.patience.answer
    }

    /// Creates an object, however long it takes. [`Created::Exists`] may mean an attempt of this very call.
    pub(crate) async fn create(&self, key: &str, body: Body) -> Result<Created, TierError> {
        let call = || async { self.timed().create(key, body.clone()).await };
        self.repeat("create", self.patience.shipping, call).await
    }

    /// Reads a range, for shipping.
    pub(crate) async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes, TierError> {
        self.read_with(self.patience.shipping, key, range).await
    }

    /// Reads a range that a host waits for.
    pub(crate) async fn recall(&self, key: &str, range: Range<u64>) -> Result<Bytes, TierError> {
        self.read_with(self.patience.recall, key, range).await
    }

    async fn read_with(&self, policy: RetryPolicy, key: &str, range: Range<u64>) -> Result<Bytes, TierError> {
        self.repeat("read", policy, || async { self.timed().read(key, range.clone()).await }).await
    }

    pub(crate) async fn head(&self, key: &str) -> Result<ObjectInfo, TierError> {
        self.repeat("head", self.patience.shipping, || async { self.timed().head(key).await }).await
    }

    pub(crate) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, TierError> {
        self.repeat("list", self.patience.shipping, || async { self.timed().list(prefix, after).await }).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), TierError> {
        self.repeat("delete", self.patience.shipping, || async { self.timed().delete(key).await }).await
    }

    /// Something that only we wait for, for ever if need be, counted and told like all calls.
    pub(crate) async fn insist<T, F>(&self, operation: &'static str, call: impl FnMut() -> F) -> Result<T, TierError>
    where
        F: Future<Output = Result<T, TierError>>,
    {
        self.repeat(operation, self.patience.shipping, call).await
    }

    async fn repeat<T, F>(
        &self,
        operation: &'static str,
        policy: RetryPolicy,
        call: impl FnMut() -> F,
    ) -> Result<T, TierError>
    where
        F: Future<Output = Result<T, TierError>>,
    {
        let result = retry(policy, |attempt| self.failed(operation, attempt), call).await;
        match &result {
            Ok(_) => self.answered(operation),
            // It has answered, and that is what this call wanted to know.
            Err(error) if error.kind == TierErrorKind::NotFound => self.answered(operation),
            Err(_) => {}
        }
        result
    }

    fn failed(&self, operation: &'static str, attempt: Attempt<'_>) {
        let Attempt { number, error, delay } = attempt;
        if error.kind == TierErrorKind::NotFound {
            return;
        }
        if error.kind == TierErrorKind::Throttled {
            self.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if delay.is_some() {
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
        tracing::debug!(tier = self.tier.name(), number, %error, ?delay, "a call to the tier failed");
        let text = error.to_string();
        let mut health = self.health();
        health.last_error = Some((SystemTime::now(), text.clone()));
        // Of one slow answer nobody needs to hear; and what is damaged is there.
        let counts = health.state != TierState::Refused
            && !matches!(error.kind, TierErrorKind::Throttled | TierErrorKind::Corrupt)
            && (number > 1 || delay.is_none());
        if !counts {
            return;
        }
        health.failing = if health.failing == Some(WRITE) { health.failing } else { Some(operation) };
        if health.state != TierState::Unavailable {
            (health.state, health.problem) = (TierState::Unavailable, Some(text.clone()));
            drop(health);
            self.listener.tell(NoticeKind::TierUnavailable, None, format!("tier {}: {text}", self.tier.name()));
        }
    }

    fn answered(&self, operation: &'static str) {
        let mut health = self.health();
        let before = health.state;
        // A tier that takes nothing more is not well because it can be read.
        if health.failing == Some(WRITE) && operation != WRITE {
            return;
        }
        health.failing = None;
        if matches!(before, TierState::Connecting | TierState::Unavailable) {
            (health.state, health.problem) = (TierState::Ready, None);
        }
        drop(health);
        if before == TierState::Unavailable {
            self.listener.tell(NoticeKind::TierAvailable, None, format!("tier {} answers again", self.tier.name()));
        }
    }

    /// The tier is not what it was: nothing is written to it until the daemon starts again.
    pub(crate) fn refuse(&self, why: &str) {
        let mut health = self.health();
        (health.state, health.problem) = (TierState::Refused, Some(why.to_owned()));
        drop(health);
        self.listener.tell(NoticeKind::TierRefused, None, format!("tier {}: {why}", self.tier.name()));
    }

    /// How it is doing, and why it is not ready.
    pub(crate) fn state(&self) -> (TierState, Option<String>) {
        let health = self.health();
        if *self.paused.borrow() && health.state != TierState::Refused {
            return (TierState::Paused, health.problem.clone());
        }
        (health.state, health.problem.clone())
    }

    pub(crate) fn last_error(&self) -> Option<(SystemTime, String)> {
        self.health().last_error.clone()
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Waits while it is paused.
    pub(crate) async fn unpaused(&self) {
        // The sender lives as long as this.
        let _ = self.paused.subscribe().wait_for(|paused| !paused).await;
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
