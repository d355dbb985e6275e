//! Work that goes on behind everything else: cartridges are verified, brought into the cache, written to files, made
//! from files.
//!
//! One thread for each kind does one after the other; neither the librarian nor a drive ever waits for it. It claims
//! nothing: when a cartridge that is being verified or exported is wanted (loaded, erased, deleted), its job is
//! cancelled, and what it has found or written by then is thrown away. Cancelling and finishing exclude each other under
//! one lock, so a result counts only if nobody had the cartridge while it was read. What is brought into the cache can be
//! in a drive meanwhile, and what is being made is nobody else's yet.

mod exporting;
mod importing;
mod info;
mod offline;
mod order;
mod staging;
#[cfg(test)]
mod tests;
mod transfer;
mod verifying;

pub(crate) use importing::Means;
pub use info::{JobInfo, JobKind, JobOutcome, JobState};
pub use offline::{Verification, VerifyOptions, verify_offline};
pub(crate) use order::Order;
pub use order::{ExportFormat, ExportTape, ImportFormat, ImportTape};
pub use transfer::Transfer;

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use capstan_cartridge::Progress;
use capstan_media::{Barcode, CartridgeId};
use capstan_mover::Operations;
use capstan_store::Store;

use self::transfer::TransferError;
use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::events::{EventKind, Events, Subject};
use crate::librarian::Librarian;
use crate::view::Reserved;

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
    librarian: OnceLock<Librarian>,
    means: Means,
    events: Events,
}

#[derive(Default)]
struct Table {
    jobs: VecDeque<JobInfo>,
    /// What those are to do that have not begun.
    orders: BTreeMap<u64, Order>,
    /// Jobs whose result counts from now on, whoever wants the cartridge: one of a kind at most.
    settled: Vec<u64>,
    last: u64,
    ending: bool,
}

impl Table {
    /// Only so many that have ended are kept, and those whose order somebody has to take back.
    fn forget_old(&mut self) {
        let Self { jobs, orders, .. } = self;
        let is_over = |job: &JobInfo| job.state.is_ended() && !orders.contains_key(&job.id);
        while jobs.iter().filter(|job| is_over(job)).count() >= ENDED {
            let oldest = jobs.iter().position(is_over);
            oldest.and_then(|oldest| jobs.remove(oldest));
        }
    }
}

impl Jobs {
    pub(crate) fn new(store: Store, events: Events, means: Means) -> Self {
        let (table, wake) = (Mutex::default(), Condvar::new());
        let (operations, librarian) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Shared { table, wake, store, operations, librarian, means, events }))
    }

    /// Who records the cartridges that are made; said once.
    pub(crate) fn set_librarian(&self, librarian: Librarian) {
        // The first one stays.
        let _ = self.0.librarian.set(librarian);
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
        self.begin(Order::Verify, cartridge, barcode)
    }

    /// Brings all of a cartridge into the cache.
    pub(crate) fn stage(&self, cartridge: CartridgeId, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        match self.0.operations.get() {
            Some(_) => self.begin(Order::Stage, cartridge, barcode),
            None => Err(LibraryError::NoTier),
        }
    }

    /// Asked again while it is under way, it is the same job.
    pub(crate) fn begin(
        &self,
        order: Order,
        cartridge: CartridgeId,
        barcode: Barcode,
    ) -> Result<JobInfo, LibraryError> {
        let (kind, file) = (order.kind(), order.file().map(Path::to_owned));
        let mut table = self.table();
        let same =
            |job: &JobInfo| job.kind == kind && job.cartridge == cartridge && job.file == file && !job.state.is_ended();
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
        table.forget_old();
        table.last = table.last.saturating_add(1);
        let job = JobInfo {
            id: table.last,
            kind,
            barcode,
            cartridge,
            file,
            state: JobState::Waiting,
            progress: Progress::default(),
            created: unix_seconds(),
        };
        table.jobs.push_back(job.clone());
        table.orders.insert(job.id, order);
        self.0.wake.notify_all();
        Ok(job)
    }

    /// The cartridge will not be what it was: all that is done with it ends.
    pub(crate) fn give_up(&self, cartridge: CartridgeId, why: &str) {
        self.cancel_if(|job| job.cartridge == cartridge, why);
    }

    /// A drive wants the cartridge: what is read of it from now on does not count.
    pub(crate) fn give_up_reading(&self, cartridge: CartridgeId, why: &str) {
        let reads = |kind| matches!(kind, JobKind::Verify | JobKind::Export);
        self.cancel_if(|job| reads(job.kind) && job.cartridge == cartridge, why);
    }

    /// Ends everything, and the threads.
    pub(crate) fn stop(&self) {
        self.table().ending = true;
        self.cancel_if(|_| true, "the daemon stopped");
        self.0.wake.notify_all();
    }

    fn cancel_if(&self, which: impl Fn(&JobInfo) -> bool, why: &str) {
        let table = &mut *self.table();
        let settled = &table.settled;
        let ends = |job: &&mut JobInfo| !job.state.is_ended() && !settled.contains(&job.id) && which(job);
        for job in table.jobs.iter_mut().filter(ends) {
            job.state = JobState::Cancelled(why.to_owned());
        }
        // Who makes a cartridge has something to take back, also if it has not begun.
        let Table { jobs, orders, .. } = table;
        let ended = |id: &u64| jobs.iter().any(|job| job.id == *id && job.state.is_ended());
        orders.retain(|id, order| order.kind() == JobKind::Import || !ended(id));
        self.0.wake.notify_all();
    }

    /// Does the jobs of a kind, until stopped.
    pub(crate) fn run(&self, kind: JobKind) {
        while let Some((job, order)) = self.next(kind) {
            let done = catch_unwind(AssertUnwindSafe(|| self.work(&job, &order)));
            self.finish(job.id, done.unwrap_or_else(|_| JobState::Failed("the job itself failed".to_owned())));
        }
    }

    fn work(&self, job: &JobInfo, order: &Order) -> JobState {
        let watch = &mut |progress| self.watch(job.id, progress);
        let Shared { store, means, .. } = self.0.as_ref();
        match order {
            Order::Verify => verifying::verify(store, job.cartridge, watch),
            Order::Stage => match self.0.operations.get() {
                Some(operations) => staging::stage(operations.as_ref(), job.cartridge, watch),
                None => JobState::Failed(LibraryError::NoTier.to_string()),
            },
            Order::Export(order) => {
                let settle = || self.settle(job.id);
                ended(exporting::export(store, &means.disk, job.cartridge, order, watch, &settle))
            }
            Order::Import(tape, order) => {
                let import = AssertUnwindSafe(|| importing::import(store, means, tape, order, watch));
                // Its place is given back, whatever happened.
                let made = catch_unwind(import).unwrap_or(Err(TransferError::Panicked));
                ended(self.conclude(job, tape, made))
            }
        }
    }

    /// Has a cartridge recorded that was made, or taken back.
    fn conclude(
        &self,
        job: &JobInfo,
        tape: &Reserved,
        made: Result<Transfer, TransferError>,
    ) -> Result<Transfer, TransferError> {
        let made = match made {
            Ok(_) if !self.settle(job.id) => Err(TransferError::Cancelled),
            made => made,
        };
        let said = made.as_ref().ok().map(|transfer| transfer::sentence(transfer, job.file.as_deref()));
        let librarian = self.0.librarian.get().ok_or(LibraryError::Stopped)?;
        let concluded = librarian.conclude_import(tape.clone(), said);
        let transfer = made?;
        concluded.map(|()| transfer).map_err(TransferError::from)
    }

    /// The result of a job counts from now on, unless it was cancelled: false then.
    fn settle(&self, id: u64) -> bool {
        let mut table = self.table();
        let runs = table.jobs.iter().any(|job| job.id == id && job.state == JobState::Running);
        if runs {
            table.settled.push(id);
        }
        runs
    }

    /// The next job, which runs from now on; `None` at the end. A cartridge that is to be made no more is a job all the
    /// same: its place is given back.
    fn next(&self, kind: JobKind) -> Option<(JobInfo, Order)> {
        let mut table = self.table();
        loop {
            let ordered = |job: &&JobInfo| job.kind == kind && table.orders.contains_key(&job.id);
            let next = table.jobs.iter().find(ordered).map(|job| job.id);
            if table.ending && (next.is_none() || kind != JobKind::Import) {
                return None;
            }
            if let Some(id) = next
                && let Some(order) = table.orders.remove(&id)
                && let Some(job) = table.jobs.iter_mut().find(|job| job.id == id)
            {
                match job.state {
                    JobState::Waiting => job.state = JobState::Running,
                    _ if kind == JobKind::Import => {}
                    _ => continue,
                }
                return Some((job.clone(), order));
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
        table.settled.retain(|settled| *settled != id);
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

fn ended(done: Result<Transfer, TransferError>) -> JobState {
    match done {
        Ok(transfer) => JobState::Done(JobOutcome::Transferred(transfer)),
        Err(error) => error.state(),
    }
}

/// What operators are told of a job that has ended, beside the job itself.
fn news(job: &JobInfo) -> Option<(EventKind, String)> {
    match (&job.state, job.kind) {
        (JobState::Done(JobOutcome::Verified(report)), _) => Some((EventKind::Damaged, verifying::damage(report)?)),
        (JobState::Done(JobOutcome::Transferred(transfer)), JobKind::Export) => {
            Some((EventKind::Exported, transfer::sentence(transfer, job.file.as_deref())))
        }
        (JobState::Failed(why), JobKind::Stage) => Some((EventKind::RecallFailed, format!("staging: {why}"))),
        _ => None,
    }
}
