//! Who is at work in a drive: its thread, or for a moment whoever brings it a task.
//!
//! A block that goes into or comes out of the page cache takes microseconds, and handing it to another thread and
//! back costs more than that. So the caller of the router does it itself when nobody else is at work and the
//! operation will be brief. Everything that may take long (synchronising, loading, searching, moves, a disk that is
//! behind) is left to the drive's thread, so that a connection always answers its pings.
//!
//! The drive's state is in one place, behind a lock that nobody waits for but the drive's thread. A caller that finds
//! it taken rings the bell: the thread looks into the inbox once more after every ring, so that nothing is forgotten.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::actor::panic_text;
use super::calm::Calm;
use super::life::{Life, Pause};
use super::request::{Errand, Lent, Request};
use crate::unit::{Mouth, NotQueued, TaskInput, Unitlike};

/// The place of a drive's state.
pub(crate) struct Helm {
    /// Empty while the drive starts, and once it has stopped or failed.
    life: Mutex<Option<Life>>,
    rung: Mutex<bool>,
    bell: Condvar,
    calm: Arc<Calm>,
    /// Callers may do brief operations themselves.
    guests: bool,
}

/// The end of the thread's work.
pub(super) struct Departure {
    pub(super) life: Life,
    /// What a panic said; otherwise the drive was told to stop.
    pub(super) failure: Option<String>,
}

impl Helm {
    pub(crate) fn new(calm: Arc<Calm>, guests: bool) -> Self {
        Self { life: Mutex::new(None), rung: Mutex::new(false), bell: Condvar::new(), calm, guests }
    }

    /// The thread's work, until it is told to stop or the drive fails. `None` if the drive was not in its place.
    pub(super) fn attend(&self, life: Life) -> Option<Departure> {
        *self.lock() = Some(life);
        loop {
            let mut place = self.lock();
            let life = place.as_mut()?;
            let worked = match life.failure.take() {
                Some(what) => Err(what),
                None => catch_unwind(AssertUnwindSafe(|| life.work())).map_err(|panic| panic_text(&*panic).to_owned()),
            };
            let patience = match worked {
                Ok(Pause::UntilRung) => None,
                Ok(Pause::UntilRungOr(patience)) => Some(patience),
                Ok(Pause::Stop) => return Some(Departure { life: place.take()?, failure: None }),
                Err(what) => return Some(Departure { life: place.take()?, failure: Some(what) }),
            };
            drop(place);
            self.await_bell(patience);
        }
    }

    /// Does what has come if that is brief and nobody else is at it; else sees to it that the thread does.
    fn visit(&self) {
        if !(self.guests && self.calm.is_calm()) {
            return self.ring();
        }
        let mut place = match self.life.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            Err(TryLockError::WouldBlock) => return self.ring(),
        };
        let Some(life) = place.as_mut() else { return self.ring() };
        let left = catch_unwind(AssertUnwindSafe(|| life.work_briefly(&self.calm)));
        let left = left.unwrap_or_else(|panic| {
            life.failure = Some(panic_text(&*panic).to_owned());
            true
        });
        drop(place);
        if left {
            self.ring();
        }
    }

    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }

    /// Waits for a ring since the last wait, at most for `patience`.
    fn await_bell(&self, patience: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = |rung: &mut bool| !*rung;
        let mut rung = match patience {
            Some(patience) => {
                let waited = self.bell.wait_timeout_while(rung, patience, silent);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.bell.wait_while(rung, silent).unwrap_or_else(PoisonError::into_inner),
        };
        *rung = false;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Life>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to a drive.
#[derive(Clone)]
pub(crate) struct DriveMouth {
    mouth: Mouth<Errand>,
    helm: Arc<Helm>,
}

impl DriveMouth {
    pub(crate) fn new(mouth: Mouth<Errand>, helm: Arc<Helm>) -> Self {
        Self { mouth, helm }
    }

    /// See [`Mouth::request`].
    pub(crate) fn request(&self, request: Request) -> Result<(), NotQueued> {
        self.mouth.request(Errand::Robot(request))?;
        self.helm.ring();
        Ok(())
    }

    /// Lends out the cartridge that is threaded.
    ///
    /// # Errors
    /// There is no room for more, or the drive has ended: the work comes back.
    pub(crate) fn lend(&self, lent: Lent) -> Result<(), Lent> {
        match self.mouth.offer(Errand::Lent(lent)) {
            Ok(()) => {
                self.helm.ring();
                Ok(())
            }
            Err(Some(Errand::Lent(lent))) => Err(lent),
            // What was offered comes back.
            Err(_) => Ok(()),
        }
    }

    /// See [`Mouth::stop`].
    pub(crate) fn stop(&self, ending: crate::unit::Ending) {
        self.mouth.stop(ending);
        self.helm.ring();
    }
}

impl Unitlike for DriveMouth {
    fn post(&self, input: TaskInput) {
        self.mouth.post(input);
        self.helm.visit();
    }
}
