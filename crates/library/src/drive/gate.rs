//! Whether blocks may come, as the upload buffer fills: shared by all drives of a library.
//!
//! Below the level from which the buffer is paced the answer costs two loads and no lock. From there on
//! [`Pace`] decides; here are the clock, how long a WRITE waits at most, and what operators are told: once for each
//! time that the buffer fills, not for each command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use capstan_store::{Admit, Level, Pace, Store, Turn};

use crate::UploadBuffer;
use crate::events::{EventKind, Events};

/// How often a WRITE that waits asks again: room may come earlier than it looked, or not when it looked.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The part of the size that has to be free, one in so many, before a buffer that was full has room again. Every
/// segment that leaves a full buffer makes room for as many blocks, and that is not worth telling.
const ROOM: u64 = 20;

/// A gate.
pub(crate) struct Gate {
    store: Store,
    events: Events,
    start: Instant,
    limit: Option<Limit>,
}

struct Limit {
    buffer: UploadBuffer,
    asks_from: u64,
    pace: Mutex<Pace>,
    /// Operators have been told that it is full.
    told: AtomicBool,
}

/// A WRITE in front of the gate.
#[derive(Default)]
pub(super) struct Visitor {
    turn: Option<Turn>,
    /// When it was first told to wait, on the gate's clock.
    since: Option<Duration>,
}

impl Visitor {
    pub(super) fn is_waiting(&self) -> bool {
        self.since.is_some()
    }
}

/// What a WRITE is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Its data may come.
    Pass,
    /// Ask again after this time.
    Wait(Duration),
    /// It has waited as long as it may, and there is no room.
    Stalled,
}

impl Gate {
    /// The gate of a store; without an upload buffer it is always open.
    pub(crate) fn new(store: Store, buffer: Option<UploadBuffer>, events: Events) -> Self {
        let limit = buffer.map(|buffer| Limit {
            asks_from: Pace::asks_from(buffer.size),
            pace: Mutex::new(Pace::new(buffer.size)),
            told: AtomicBool::new(false),
            buffer,
        });
        Self { store, events, start: Instant::now(), limit }
    }

    /// A WRITE of `bytes` asks.
    pub(super) fn ask(&self, visitor: &mut Visitor, bytes: u32) -> Verdict {
        let Some(limit) = &self.limit else { return Verdict::Pass };
        let used = self.store.used();
        if used < limit.asks_from && !limit.told.load(Ordering::Relaxed) {
            return Verdict::Pass;
        }
        let now = self.start.elapsed();
        let level = Level { used, left: self.store.left() };
        let admit = limit.pace().ask(now, level, &mut visitor.turn, u64::from(bytes));
        self.tell(limit, admit, used);
        let verdict = limit.verdict(now, admit, visitor);
        match verdict {
            Verdict::Pass => *visitor = Visitor::default(),
            Verdict::Wait(_) => {}
            Verdict::Stalled => self.leave(visitor, bytes),
        }
        verdict
    }

    /// A WRITE of `bytes` waits no more, and does not come.
    pub(super) fn leave(&self, visitor: &mut Visitor, bytes: u32) {
        if let (Some(limit), Some(turn)) = (&self.limit, visitor.turn) {
            limit.pace().give_up(turn, u64::from(bytes));
        }
        *visitor = Visitor::default();
    }

    fn tell(&self, limit: &Limit, admit: Admit, used: u64) {
        let UploadBuffer { size, stall_limit } = limit.buffer;
        if admit == Admit::Full {
            if !limit.told.swap(true, Ordering::Relaxed) {
                let text = format!(
                    "the upload buffer is full ({used} of {size} bytes): WRITE commands wait for the tier, then end \
                     with NOT READY after {} s; look at the tier, or give the buffer more room",
                    stall_limit.as_secs()
                );
                self.events.report_tier(EventKind::BufferFull, None, text);
            }
        } else if size.saturating_sub(used) > size / ROOM && limit.told.swap(false, Ordering::Relaxed) {
            let text = format!("there is room in the upload buffer ({used} of {size} bytes): blocks are written again");
            self.events.report_tier(EventKind::BufferHasRoom, None, text);
        }
    }
}

impl Limit {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command waits no longer than the limit in all, or its host would give it up; if there is room then, it was
    /// only to be slow.
    fn verdict(&self, now: Duration, admit: Admit, visitor: &mut Visitor) -> Verdict {
        let wait = match admit {
            Admit::Now => return Verdict::Pass,
            Admit::After(wait) => wait.min(ASK_AGAIN),
            Admit::Full => ASK_AGAIN,
        };
        let waited = now.saturating_sub(*visitor.since.get_or_insert(now));
        match self.buffer.stall_limit.checked_sub(waited).filter(|left| !left.is_zero()) {
            Some(left) => Verdict::Wait(wait.min(left)),
            None if admit == Admit::Full => Verdict::Stalled,
            None => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(stall_limit: Duration) -> Limit {
        let buffer = UploadBuffer { size: 1000, stall_limit };
        Limit { buffer, asks_from: 0, pace: Mutex::new(Pace::new(1000)), told: AtomicBool::new(false) }
    }

    #[test]
    fn a_write_waits_for_the_limit_in_all_whatever_it_waits_for() {
        let limit = limit(SECOND * 600);
        let mut visitor = Visitor::default();
        let mut ask = |second: u32, admit| limit.verdict(SECOND * second, admit, &mut visitor);
        assert_eq!(ask(100, Admit::Full), Verdict::Wait(ASK_AGAIN));
        assert_eq!(ask(300, Admit::After(SECOND)), Verdict::Wait(ASK_AGAIN));
        assert_eq!(ask(400, Admit::After(Duration::from_millis(7))), Verdict::Wait(Duration::from_millis(7)));
        assert_eq!(ask(699, Admit::Full), Verdict::Wait(ASK_AGAIN));
        assert_eq!(ask(700, Admit::Full), Verdict::Stalled);
        assert_eq!(ask(700, Admit::After(SECOND)), Verdict::Pass, "there is room: it is slow enough by now");
        assert_eq!(ask(700, Admit::Now), Verdict::Pass);
    }

    #[test]
    fn the_last_wait_ends_with_the_limit() {
        let limit = limit(Duration::from_millis(130));
        let mut visitor = Visitor::default();
        let mut ask = |millis| limit.verdict(Duration::from_millis(millis), Admit::Full, &mut visitor);
        assert_eq!(ask(1000), Verdict::Wait(ASK_AGAIN));
        assert_eq!(ask(1100), Verdict::Wait(Duration::from_millis(30)));
        assert_eq!(ask(1130), Verdict::Stalled);
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let mut visitor = Visitor::default();
        assert_eq!(limit(Duration::ZERO).verdict(SECOND, Admit::Full, &mut visitor), Verdict::Stalled);
        let mut visitor = Visitor::default();
        assert_eq!(limit(Duration::ZERO).verdict(SECOND, Admit::After(SECOND), &mut visitor), Verdict::Pass);
    }
}
