//! How fast hosts may write while the upload buffer fills.
//!
//! Below [`PACED_FROM`] of its size they are free. From there on all drives together get what leaves the buffer, times
//! the room that is left in the paced part over what is used of it: any number at its beginning, as much as leaves in
//! its middle, next to nothing at its end. So the buffer of a tier that is slow comes to rest in the middle, and hosts
//! write as fast as the tier takes it; only a tier that stands still fills it. At the size itself nothing is admitted.
//!
//! Who waits stands in a line: a write that is not admitted at once gets a [`Turn`] behind the bytes of those that came
//! before it, from whichever drive, and its time comes when these have had theirs. Nothing here knows drives, so none
//! of them can be forgotten or preferred. Time and levels are arguments.

use std::time::Duration;

use crate::drain::Drain;

/// Per cent of the size up to which writes are free.
const PACED_FROM: u64 = 80;
/// Per cent of the size from which what leaves is measured, so that it is known when it is needed.
const MEASURED_FROM: u64 = 60;
/// Bytes a second that are admitted however slowly the buffer drains, as long as there is room.
const FLOOR: u64 = 1 << 20;
const NANOSECONDS: u128 = 1_000_000_000;

/// The upload buffer at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// Bytes in it.
    pub used: u64,
    /// Bytes that have left it, ever.
    pub left: u64,
}

/// Whether a write may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admit {
    /// Now.
    Now,
    /// Not before this time has passed; ask again then, or earlier, since room may come.
    After(Duration),
    /// There is no room; ask again.
    Full,
}

/// The place in line of a write that has to wait: bytes before it, in nanoseconds of one byte a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn(u128);

/// The pace of one upload buffer.
#[derive(Debug)]
pub struct Pace {
    size: u64,
    drain: Drain,
    /// When it was last asked.
    asked: Duration,
    /// The bytes of all writes that got a place in line, and those whose time has passed.
    issued: u128,
    served: u128,
}

impl Pace {
    /// The pace of a buffer of `size` bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, drain: Drain::default(), asked: Duration::ZERO, issued: 0, served: 0 }
    }

    /// With less in a buffer of `size` bytes nobody need ask: the answer is [`Admit::Now`], and nothing would be
    /// learned from the question.
    #[must_use]
    pub fn asks_from(size: u64) -> u64 {
        share(size, MEASURED_FROM)
    }

    /// Whether a write of `bytes` may come. Whoever has to wait passes the same `turn` each time, beginning with
    /// `None`.
    pub fn ask(&mut self, now: Duration, level: Level, turn: &mut Option<Turn>, bytes: u64) -> Admit {
        self.drain.note(now, level.left);
        let elapsed = now.saturating_sub(self.asked);
        self.asked = self.asked.max(now);
        let free = share(self.size, PACED_FROM);
        if level.used < free && level.used < self.size {
            self.served = self.issued;
            *turn = None;
            return Admit::Now;
        }
        if level.used >= self.size {
            turn.get_or_insert_with(|| self.line_up(bytes));
            return Admit::Full;
        }
        let rate = self.rate(now, level, free);
        let served = self.served.saturating_add(rate.saturating_mul(elapsed.as_nanos()));
        self.served = served.min(self.issued);
        let Turn(place) = *turn.get_or_insert_with(|| self.line_up(bytes));
        match place.saturating_sub(self.served) {
            0 => {
                *turn = None;
                Admit::Now
            }
            before => Admit::After(duration(before.div_ceil(rate))),
        }
    }

    /// A write of `bytes` is not going to come: the time that was to be its own is that of the others.
    pub fn give_up(&mut self, turn: Turn, bytes: u64) {
        if turn.0 >= self.served {
            self.served = self.served.saturating_add(places(bytes)).min(self.issued);
        }
    }

    fn line_up(&mut self, bytes: u64) -> Turn {
        let turn = Turn(self.issued);
        self.issued = self.issued.saturating_add(places(bytes));
        turn
    }

    /// Bytes a second for all that is written, never none.
    fn rate(&self, now: Duration, level: Level, free: u64) -> u128 {
        let drain = u128::from(self.drain.rate(now, level.left).max(FLOOR));
        let (room, used) = (self.size.saturating_sub(level.used), level.used.saturating_sub(free).max(1));
        let rate = drain.saturating_mul(u128::from(room)).checked_div(u128::from(used));
        rate.unwrap_or(0).max(u128::from(FLOOR))
    }
}

fn places(bytes: u64) -> u128 {
    u128::from(bytes).saturating_mul(NANOSECONDS)
}

fn share(size: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(size).saturating_mul(u128::from(percent)) / 100).unwrap_or(size)
}

fn duration(nanoseconds: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
