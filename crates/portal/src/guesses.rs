//! A limit to guessing secrets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::host::Host;

/// Wrong proofs that a host may give at once.
const BURST: u32 = 10;
/// After this it may give one more.
const PERIOD: Duration = Duration::from_secs(1);
/// Hosts that are remembered.
const HOSTS: usize = 4096;
/// A host that goes on is told about once in this time.
const WARNING: Duration = Duration::from_secs(60);

/// Counts wrong proofs by host. Right ones cost nothing, so a host that knows its secrets is never slowed.
///
/// A proof that is being looked at is not counted yet, so threads that look at once can let one more through each;
/// what they let through is counted all the same, and the host waits for it.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    hosts: Mutex<HashMap<Host, Record>>,
}

/// Where it is absent or in the past, nothing is held against the host.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// When all is forgiven: one period from now for each wrong proof that is not.
    forgiven: Instant,
    warned: Option<Instant>,
}

impl Guesses {
    /// Whether a host may try to prove something.
    pub(crate) fn admits(&self, host: Host, now: Instant) -> bool {
        let hosts = self.lock();
        let held = hosts.get(&host).map_or(Duration::ZERO, |record| record.forgiven.saturating_duration_since(now));
        held <= PERIOD * (BURST - 1)
    }

    /// A host gave a wrong proof.
    pub(crate) fn wrong(&self, host: Host, now: Instant) {
        let mut hosts = self.lock();
        if hosts.len() >= HOSTS && !hosts.contains_key(&host) {
            hosts.retain(|_, record| record.forgiven > now);
            if hosts.len() >= HOSTS
                && let Some(mildest) = hosts.iter().min_by_key(|(_, record)| record.forgiven).map(|(host, _)| *host)
            {
                hosts.remove(&mildest);
            }
        }
        let record = hosts.entry(host).or_insert(Record { forgiven: now, warned: None });
        record.forgiven = record.forgiven.max(now) + PERIOD;
    }

    /// Whether it is time to tell that a host is refused.
    pub(crate) fn shall_warn(&self, host: Host, now: Instant) -> bool {
        let mut hosts = self.lock();
        let Some(record) = hosts.get_mut(&host) else { return false };
        if record.warned.is_some_and(|warned| now.saturating_duration_since(warned) < WARNING) {
            return false;
        }
        record.warned = Some(now);
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Host, Record>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u32) -> Host {
        Host::of((std::net::Ipv4Addr::from_bits(number), 1).into())
    }

    #[test]
    fn ten_at_once_and_then_one_a_second() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        for _ in 0..10 {
            assert!(guesses.admits(host(1), now));
            guesses.wrong(host(1), now);
        }
        for _ in 0..5 {
            assert!(!guesses.admits(host(1), now));
            now += Duration::from_millis(999);
            assert!(!guesses.admits(host(1), now));
            now += Duration::from_millis(1);
            assert!(guesses.admits(host(1), now));
            guesses.wrong(host(1), now);
        }
        assert!(guesses.admits(host(2), now));
        now += Duration::from_secs(10);
        for _ in 0..10 {
            assert!(guesses.admits(host(1), now));
            guesses.wrong(host(1), now);
        }
        assert!(!guesses.admits(host(1), now));
    }

    #[test]
    fn what_was_let_through_at_once_is_waited_for() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..15 {
            guesses.wrong(host(1), now);
        }
        assert!(!guesses.admits(host(1), now + Duration::from_millis(5999)));
        assert!(guesses.admits(host(1), now + Duration::from_secs(6)));
    }

    #[test]
    fn one_warning_a_minute() {
        let guesses = Guesses::default();
        let now = Instant::now();
        guesses.wrong(host(1), now);
        let warned = (0..180).filter(|second| guesses.shall_warn(host(1), now + Duration::from_secs(*second)));
        assert_eq!(warned.collect::<Vec<_>>(), [0, 60, 120]);
        assert!(!guesses.shall_warn(host(2), now));
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..20 {
            guesses.wrong(host(0), now);
        }
        for number in 1..10_000 {
            guesses.wrong(host(number), now);
        }
        assert_eq!(guesses.lock().len(), HOSTS);
        assert!(!guesses.admits(host(0), now));
        guesses.wrong(host(20_000), now + Duration::from_secs(2));
        assert_eq!(guesses.lock().len(), 2, "what is forgiven is forgotten");
    }
}
