//! When to ask whether the initiator is still there, and when to give up.

use std::time::{Duration, Instant};

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// The login took too long.
    LoginTimedOut,
    /// Send a NOP-In.
    Ping,
    /// The last one was not answered.
    PingTimedOut,
}

/// One deadline at a time: the end of login, the next ping, or the answer to the last.
#[derive(Clone, Debug)]
pub(super) struct Keepalive {
    deadline: Instant,
    due: Due,
    interval: Duration,
    timeout: Duration,
}

impl Keepalive {
    pub(super) fn new(now: Instant, login: Duration, interval: Duration, timeout: Duration) -> Self {
        Self { deadline: now + login, due: Due::LoginTimedOut, interval, timeout }
    }

    /// The login is over.
    pub(super) fn begin(&mut self, now: Instant) {
        self.due = Due::Ping;
        self.deadline = now + self.interval;
    }

    /// Something came from the initiator.
    pub(super) fn heard(&mut self, now: Instant) {
        if self.due != Due::LoginTimedOut {
            self.begin(now);
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is due now; a ping starts the wait for its answer.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Due> {
        if now < self.deadline {
            return None;
        }
        let due = self.due;
        if due == Due::Ping {
            self.due = Due::PingTimedOut;
            self.deadline = now + self.timeout;
        }
        Some(due)
    }
}
