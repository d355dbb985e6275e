//! Work that goes on behind everything else: verifications of cartridges.
//!
//! One thread does one after the other; neither the librarian nor a drive ever waits for it. It claims nothing: when a
//! cartridge that is being verified is wanted (loaded, erased, deleted), its job is cancelled, and what it has found by
//! then is thrown away. Cancelling and finishing exclude each other under one lock, so a result counts only if nobody
//! had the cartridge while it was read.

mod offline;
#[cfg(test)]
mod tests;

pub use offline::{Verification, VerifyOptions, verify_offline};

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use capstan_cartridge::{Progress, Report, Verified};
use capstan_media::{Barcode, CartridgeId};
use capstan_store::Store;

use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::events::{EventKind, Events, Subject};

/// Jobs that can wait.
const WAITING: usize = 64;

/// Jobs that have ended and are still shown.
const ENDED: usize = 100;

/// A job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobInfo {
    /// Its number, from 1 for each run of the daemon.
    pub id: u64,
    /// The cartridge that is verified.
    pub barcode: Barcode,
    /// Its identity.
    pub cartridge: CartridgeId,
    /// How far it is.
    pub state: JobState,
    /// Bytes dealt with, and in all.
    pub progress: Progress,
    /// When it was asked for, seconds since 1970 UTC.
    pub created: u64,
}

/// How far a job is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobState {
    /// Others are before it.
    Waiting,
    /// It is being done.
    Running,
    /// It is done, and this was found.
    Done(Box<Report>),
    /// Somebody, or something that goes first, ended it.
    Cancelled(String),
    /// It could not be done.
    Failed(String),
}

impl JobState {
    /// Nothing more happens.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Cancelled(_) | Self::Failed(_))
    }
}

/// The jobs of a library. Clones are the same.
#[derive(Clone)]
pub struct Jobs(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    wake: Condvar,
    store: Store,
    events: Events,
}

#[derive(Default)]
struct Table {
    jobs: VecDeque<JobInfo>,
    last: u64,
    ending: bool,
}

impl Jobs {
    pub(crate) fn new(store: Store, events: Events) -> Self {
        Self(Arc::new(Shared { table: Mutex::default(), wake: Condvar::new(), store, events }))
    }

    /// All jobs that are waiting, running, or ended not long ago; the first asked for first.
    #[must_use]
    pub fn list(&self) -> Vec<JobInfo> {
        self.table().jobs.iter().cloned().collect()
    }

    /// One job.
    ///
    /// # Errors
    /// There is none with this number, or not any more.
    pub fn job(&self, id: u64) -> Result<JobInfo, LibraryError> {
        let found = self.table().jobs.iter().find(|job| job.id == id).cloned();
        found.ok_or(LibraryError::UnknownJob(id))
    }

    /// Ends a job. One that has ended stays as it is.
    ///
    /// # Errors
    /// There is none with this number.
    pub fn cancel(&self, id: u64) -> Result<JobInfo, LibraryError> {
        self.cancel_if(|job| job.id == id, "it was cancelled");
        self.job(id)
    }

    /// Verifies a cartridge that no drive has. Asked again while it is under way, it is the same job.
    pub(crate) fn verify(&self, cartridge: CartridgeId, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        let mut table = self.table();
        let under_way = table.jobs.iter().find(|job| job.cartridge == cartridge && !job.state.is_ended());
        if let Some(job) = under_way {
            return Ok(job.clone());
        }
        if table.jobs.iter().filter(|job| job.state == JobState::Waiting).count() >= WAITING {
            return Err(LibraryError::Busy);
        }
        if table.ending {
            return Err(LibraryError::Stopped);
        }
        while table.jobs.iter().filter(|job| job.state.is_ended()).count() >= ENDED {
            let oldest = table.jobs.iter().position(|job| job.state.is_ended());
            oldest.and_then(|oldest| table.jobs.remove(oldest));
        }
        table.last = table.last.saturating_add(1);
        let job = JobInfo {
            id: table.last,
            barcode,
            cartridge,
            state: JobState::Waiting,
            progress: Progress::default(),
            created: unix_seconds(),
        };
        table.jobs.push_back(job.clone());
        self.0.wake.notify_all();
        Ok(job)
    }

    /// Somebody wants the cartridge: what is read of it from now on does not count.
    pub(crate) fn give_up(&self, cartridge: CartridgeId, why: &str) {
        self.cancel_if(|job| job.cartridge == cartridge, why);
    }

    /// Ends everything, and the thread.
    pub(crate) fn stop(&self) {
        self.table().ending = true;
        self.cancel_if(|_| true, "the daemon stopped");
        self.0.wake.notify_all();
    }

    fn cancel_if(&self, which: impl Fn(&JobInfo) -> bool, why: &str) {
        let mut table = self.table();
        for job in table.jobs.iter_mut().filter(|job| !job.state.is_ended() && which(job)) {
            job.state = JobState::Cancelled(why.to_owned());
        }
    }

    /// Does the jobs, until stopped.
    pub(crate) fn run(&self) {
        while let Some(job) = self.next() {
            let verified = catch_unwind(AssertUnwindSafe(|| {
                capstan_cartridge::verify(&self.0.store, job.cartridge, &mut |progress| self.watch(job.id, progress))
            }));
            let state = match verified {
                Ok(Ok(Verified::Whole(report))) => JobState::Done(report),
                Ok(Ok(Verified::Cancelled)) => JobState::Cancelled("it was cancelled".to_owned()),
                Ok(Err(error)) => JobState::Failed(error.to_string()),
                Err(_) => JobState::Failed("the verification itself failed".to_owned()),
            };
            self.finish(job.id, state);
        }
    }

    /// The next job, which runs from now on; `None` at the end.
    fn next(&self) -> Option<JobInfo> {
        let mut table = self.table();
        loop {
            if table.ending {
                return None;
            }
            if let Some(job) = table.jobs.iter_mut().find(|job| job.state == JobState::Waiting) {
                job.state = JobState::Running;
                return Some(job.clone());
            }
            table = self.0.wake.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn watch(&self, id: u64, progress: Progress) -> ControlFlow<()> {
        match self.table().jobs.iter_mut().find(|job| job.id == id && job.state == JobState::Running) {
            Some(job) => {
                job.progress = progress;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }

    fn finish(&self, id: u64, state: JobState) {
        let mut table = self.table();
        let running = table.jobs.iter_mut().find(|job| job.id == id && job.state == JobState::Running);
        let Some(job) = running else { return };
        let told = damage(&state).map(|text| (Subject::new(None, Some(&job.barcode)), text));
        job.state = state;
        drop(table);
        if let Some((subject, text)) = told {
            self.0.events.report(EventKind::Damaged, subject, text);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an event says of a verification that found damage.
fn damage(state: &JobState) -> Option<String> {
    let JobState::Done(report) = state else { return None };
    if report.is_good() {
        return None;
    }
    let first = report.findings.iter().find(|finding| finding.kind.is_damage());
    let first = first.map_or(String::new(), |it| {
        format!("; {} at byte {} of {}: {}", it.kind, it.offset, it.file.display(), it.what)
    });
    Some(match report.loadable {
        true => format!("verified: {} of {} objects cannot be read{first}", report.lost, report.objects),
        false => format!("verified: it cannot be loaded{first}"),
    })
}
