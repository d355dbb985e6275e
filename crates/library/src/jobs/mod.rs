//! Work that goes on behind everything else: cartridges are verified, or brought into the cache.
//!
//! One thread for each kind does one after the other; neither the librarian nor a drive ever waits for it. It claims
//! nothing: when a cartridge that is being verified is wanted (loaded, erased, deleted), its job is cancelled, and what
//! it has found by then is thrown away. Cancelling and finishing exclude each other under one lock, so a result counts
//! only if nobody had the cartridge while it was read. What is brought into the cache can be in a drive meanwhile.

mod info;
mod offline;
mod staging;
#[cfg(test)]
mod tests;
mod verifying;

pub use info::{JobInfo, JobKind, JobOutcome, JobState};
pub use offline::{Verification, VerifyOptions, verify_offline};

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use capstan_cartridge::Progress;
use capstan_media::{Barcode, CartridgeId};
use capstan_mover::Operations;
use capstan_store::Store;

use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::events::{EventKind, Events, Subject};

/// Jobs of each kind that can wait.
const WAITING: usize = 64;

/// Jobs that have ended and are still shown.
const ENDED: usize = 100;

/// The jobs of a library. Clones are the same.
#[derive(Clone)]
pub struct Jobs(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    wake: Condvar,
    store: Store,
    operations: OnceLock<Arc<dyn Operations>>,
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
        let operations = OnceLock::new();
        Self(Arc::new(Shared { table: Mutex::default(), wake: Condvar::new(), store, operations, events }))
    }

    /// Where cartridges can be brought back from, from now on; said once.
    pub(crate) fn set_operations(&self, operations: Arc<dyn Operations>) {
        // The first one stays.
        let _ = self.0.operations.set(operations);
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

    /// Verifies a cartridge that no drive has.
    pub(crate) fn verify(&self, cartridge: CartridgeId, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        self.begin(JobKind::Verify, cartridge, barcode)
    }

    /// Brings all of a cartridge into the cache.
    pub(crate) fn stage(&self, cartridge: CartridgeId, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        match self.0.operations.get() {
            Some(_) => self.begin(JobKind::Stage, cartridge, barcode),
            None => Err(LibraryError::NoTier),
        }
    }

    /// Asked again while it is under way, it is the same job.
    fn begin(&self, kind: JobKind, cartridge: CartridgeId, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        let mut table = self.table();
        let same = |job: &JobInfo| job.kind == kind && job.cartridge == cartridge && !job.state.is_ended();
        if let Some(job) = table.jobs.iter().find(|job| same(job)) {
            return Ok(job.clone());
        }
        let waits = |job: &&JobInfo| job.kind == kind && job.state == JobState::Waiting;
        if table.jobs.iter().filter(waits).count() >= WAITING {
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
            kind,
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

    /// The cartridge will not be what it was: all that is done with it ends.
    pub(crate) fn give_up(&self, cartridge: CartridgeId, why: &str) {
        self.cancel_if(|job| job.cartridge == cartridge, why);
    }

    /// A drive wants the cartridge: what is read of it from now on does not count.
    pub(crate) fn give_up_verifying(&self, cartridge: CartridgeId, why: &str) {
        self.cancel_if(|job| job.kind == JobKind::Verify && job.cartridge == cartridge, why);
    }

    /// Ends everything, and the threads.
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

    /// Does the jobs of a kind, until stopped.
    pub(crate) fn run(&self, kind: JobKind) {
        while let Some(job) = self.next(kind) {
            let done = catch_unwind(AssertUnwindSafe(|| self.work(&job)));
            self.finish(job.id, done.unwrap_or_else(|_| JobState::Failed("the job itself failed".to_owned())));
        }
    }

    fn work(&self, job: &JobInfo) -> JobState {
        let watch = &mut |progress| self.watch(job.id, progress);
        match job.kind {
            JobKind::Verify => verifying::verify(&self.0.store, job.cartridge, watch),
            JobKind::Stage => match self.0.operations.get() {
                Some(operations) => staging::stage(operations.as_ref(), job.cartridge, watch),
                None => JobState::Failed(LibraryError::NoTier.to_string()),
            },
        }
    }

    /// The next job, which runs from now on; `None` at the end.
    fn next(&self, kind: JobKind) -> Option<JobInfo> {
        let mut table = self.table();
        loop {
            if table.ending {
                return None;
            }
            let waits = |job: &&mut JobInfo| job.kind == kind && job.state == JobState::Waiting;
            if let Some(job) = table.jobs.iter_mut().find(waits) {
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
        job.state = state;
        let ended = job.clone();
        drop(table);
        if let Some((kind, text)) = news(&ended) {
            self.0.events.report(kind, Subject::new(None, Some(&ended.barcode)), text);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What operators are told of a job that has ended, beside the job itself.
fn news(job: &JobInfo) -> Option<(EventKind, String)> {
    match (&job.state, job.kind) {
        (JobState::Done(JobOutcome::Verified(report)), _) => Some((EventKind::Damaged, verifying::damage(report)?)),
        (JobState::Failed(why), JobKind::Stage) => Some((EventKind::RecallFailed, format!("staging: {why}"))),
        _ => None,
    }
}
