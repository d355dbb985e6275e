//! What operators and drives ask of the librarian.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use capstan_cartridge::Facts;
use capstan_device::smc::ChangerOp;
use capstan_media::{Barcode, CartridgeId, Place};
use tokio::sync::oneshot;

use crate::LibraryError;
use crate::drive::DriveNews;
use crate::events::EventKind;
use crate::jobs::{ExportTape, ImportTape, JobInfo};
use crate::view::{CreateTapes, DriveInfo, ElementInfo, Moved, Reserved, Statistics, TapeInfo, VersionChange};

/// Operators' requests that can wait.
pub(crate) const OPERATOR_REQUESTS: usize = 64;

/// Messages of jobs that can wait: one cartridge is made at a time.
pub(crate) const JOB_REQUESTS: usize = 1;

/// Where an answer goes. Nobody may be waiting for it any more.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, LibraryError>>;

/// A message to the librarian.
pub(crate) enum LibrarianRequest {
    Drive(DriveNews),
    Question(Question, Permit),
    Work(Work, Permit),
    /// A job has made a cartridge, and what an event says of it; or not.
    Made(Reserved, Option<String>, Reply<()>),
}

/// Answered at once.
pub(crate) enum Question {
    Tapes(Reply<Vec<TapeInfo>>),
    Tape(Barcode, Reply<TapeInfo>),
    Elements(Reply<Vec<ElementInfo>>),
    Drives(Reply<Vec<DriveInfo>>),
    Statistics(Reply<Statistics>),
}

/// Done one after the other.
pub(crate) enum Work {
    Create(CreateTapes, Reply<Vec<TapeInfo>>),
    Reserve(Barcode, Option<u64>, Option<u16>, Reply<Reserved>),
    ConcludeReserved(Reserved, EventKind, String, Reply<TapeInfo>),
    GiveUpReserved(Reserved, Reply<()>),
    Delete(Barcode, Reply<()>),
    Erase(Barcode, Reply<()>),
    Protect(Barcode, bool, Reply<()>),
    RollBack(Barcode, u32, Reply<()>),
    Version(Barcode, u32, VersionChange, Reply<()>),
    Move(Place, Place, Reply<Moved>),
    Load(Barcode, Option<u16>, Reply<Moved>),
    Unload(u16, Reply<Moved>),
    Import(Barcode, Reply<Moved>),
    SetAside(Barcode, Reply<CartridgeId>),
    Keep(Barcode, Reply<()>),
    LetGo(Barcode, Reply<()>),
    RoomFor(Barcode, Option<u16>, Reply<()>),
    TakeIn(Facts, Option<u16>, Reply<TapeInfo>),
    Verify(Barcode, Reply<JobInfo>),
    Stage(Barcode, Reply<JobInfo>),
    Export(Barcode, ExportTape, Reply<JobInfo>),
    ImportTape(ImportTape, Reply<JobInfo>),
    /// [`LibrarianRequest::Made`], in its turn.
    Made(Reserved, Option<String>, Reply<()>),
    /// A move or an exchange that a host asked for.
    Host(ChangerOp),
}

/// One of [`OPERATOR_REQUESTS`] places, given back when dropped: it lives as long as the request.
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Permit {
    /// A place, if one is free.
    pub(crate) fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        if taken.fetch_add(1, Ordering::AcqRel) < OPERATOR_REQUESTS {
            return Some(Self(Arc::clone(taken)));
        }
        taken.fetch_sub(1, Ordering::AcqRel);
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
