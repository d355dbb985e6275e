//! The operators' way to the librarian.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use capstan_cartridge::{Facts, VersionFacts};
use capstan_media::{Barcode, CartridgeId, Place};
use capstan_store::Store;
use tokio::sync::oneshot;

use super::request::{LibrarianRequest, Permit, Question, Reply, Work};
use crate::LibraryError;
use crate::events::EventKind;
use crate::jobs::{ExportTape, ImportTape, JobInfo};
use crate::unit::{Mouth, NotQueued};
use crate::view::{CreateTapes, DriveInfo, ElementInfo, Moved, Reserved, Statistics, TapeInfo, VersionChange};

/// Asks the librarian. Every method is one message and its answer; dropping the future leaves the work to be done
/// nevertheless.
#[derive(Clone)]
pub struct Librarian {
    mouth: Mouth<LibrarianRequest>,
    taken: Arc<AtomicUsize>,
    store: Store,
}

impl Librarian {
    pub(crate) fn new(mouth: Mouth<LibrarianRequest>, store: Store) -> Self {
        Self { mouth, taken: Arc::default(), store }
    }

    /// All cartridges, by label.
    ///
    /// # Errors
    /// The library has stopped or is busy.
    pub async fn tapes(&self) -> Result<Vec<TapeInfo>, LibraryError> {
        self.question(Question::Tapes).await
    }

    /// One cartridge.
    ///
    /// # Errors
    /// There is none with this label.
    pub async fn tape(&self, barcode: Barcode) -> Result<TapeInfo, LibraryError> {
        self.question(|reply| Question::Tape(barcode, reply)).await
    }

    /// One cartridge that is in no drive.
    ///
    /// # Errors
    /// There is none with this label, or it is in a drive.
    pub async fn unloaded(&self, barcode: Barcode, action: &'static str) -> Result<TapeInfo, LibraryError> {
        let tape = self.tape(barcode).await?;
        match tape.place {
            Some(Place::Drive(drive)) => Err(LibraryError::InDrive { barcode: tape.barcode, drive, action }),
            _ => Ok(tape),
        }
    }

    /// All elements but the picker: storage slots, import/export slots, drives.
    ///
    /// # Errors
    /// The library has stopped or is busy.
    pub async fn elements(&self) -> Result<Vec<ElementInfo>, LibraryError> {
        self.question(Question::Elements).await
    }

    /// All drives, by number.
    ///
    /// # Errors
    /// The library has stopped or is busy.
    pub async fn drives(&self) -> Result<Vec<DriveInfo>, LibraryError> {
        self.question(Question::Drives).await
    }

    /// Numbers about the whole.
    ///
    /// # Errors
    /// The library has stopped or is busy.
    pub async fn statistics(&self) -> Result<Statistics, LibraryError> {
        self.question(Question::Statistics).await
    }

    /// Makes cartridges and puts them into the first free slots: all of them or none.
    ///
    /// # Errors
    /// A label is taken or does not work, the size is too small, slots are missing, the disk failed.
    pub async fn create_tapes(&self, new: CreateTapes) -> Result<Vec<TapeInfo>, LibraryError> {
        self.work(|reply| Work::Create(new, reply)).await
    }

    /// Keeps a barcode and a slot (the first free one unless it is named) for a cartridge that the caller makes in the
    /// store, and concludes or gives up then. If he does neither, the next start removes it.
    ///
    /// # Errors
    /// The label or the slot is taken, no slot is free, the size is too small, the disk failed.
    pub async fn reserve(
        &self,
        barcode: Barcode,
        size: Option<u64>,
        slot: Option<u16>,
    ) -> Result<Reserved, LibraryError> {
        self.work(|reply| Work::Reserve(barcode, size, slot, reply)).await
    }

    /// What was reserved is made: it is a cartridge of the library from now on, and `kind` and `text` are told.
    ///
    /// # Errors
    /// It is not being made any more; the disk failed.
    pub async fn conclude(&self, reserved: Reserved, kind: EventKind, text: String) -> Result<TapeInfo, LibraryError> {
        self.work(|reply| Work::ConcludeReserved(reserved, kind, text, reply)).await
    }

    /// What was reserved is not to be.
    ///
    /// # Errors
    /// It is not being made any more; the disk failed.
    pub async fn give_up(&self, reserved: Reserved) -> Result<(), LibraryError> {
        self.work(|reply| Work::GiveUpReserved(reserved, reply)).await
    }

    /// Deletes a cartridge and everything on it.
    ///
    /// # Errors
    /// It is in a drive, write-protected, or in a state that does not allow it; the disk failed.
    pub async fn delete_tape(&self, barcode: Barcode) -> Result<(), LibraryError> {
        self.work(|reply| Work::Delete(barcode, reply)).await
    }

    /// Makes a cartridge blank.
    ///
    /// # Errors
    /// It is in a drive, write-protected, or in a state that does not allow it; the disk failed.
    pub async fn erase_tape(&self, barcode: Barcode) -> Result<(), LibraryError> {
        self.work(|reply| Work::Erase(barcode, reply)).await
    }

    /// Write-protects a cartridge, also one in a drive, or lifts that.
    ///
    /// # Errors
    /// There is none with this label; the disk failed.
    pub async fn set_protected(&self, barcode: Barcode, protected: bool) -> Result<(), LibraryError> {
        self.work(|reply| Work::Protect(barcode, protected, reply)).await
    }

    /// Makes an older version of a tape the tape again; what it was becomes a version.
    ///
    /// # Errors
    /// It is in a drive, write-protected, or has no such version; the disk failed.
    pub async fn roll_back(&self, barcode: Barcode, version: u32) -> Result<(), LibraryError> {
        self.work(|reply| Work::RollBack(barcode, version, reply)).await
    }

    /// A tape, and its older versions, oldest first. Of a loaded one as its metadata say: as of its last unload or later.
    ///
    /// # Errors
    /// There is none with this label, or it cannot be read.
    pub async fn versions(&self, barcode: Barcode) -> Result<(Facts, Vec<VersionFacts>), LibraryError> {
        let id = self.tape(barcode.clone()).await?.id;
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || capstan_cartridge::versions(&store, id));
        let read = read.await.map_err(|_| LibraryError::Stopped)?;
        read.map_err(|source| LibraryError::Cartridge { barcode, source })
    }

    /// Holds, lets go of or forgets an older version of a tape.
    ///
    /// # Errors
    /// It is in a drive or has no such version; the disk failed.
    pub async fn change_version(
        &self,
        barcode: Barcode,
        version: u32,
        change: VersionChange,
    ) -> Result<(), LibraryError> {
        self.work(|reply| Work::Version(barcode, version, change, reply)).await
    }

    /// Moves what is in one element to another. Into an import/export slot it counts as put there by hand.
    ///
    /// # Errors
    /// One is missing, the source is empty, the destination full, a host prevents removal, the drive is busy or
    /// failed.
    pub async fn move_medium(&self, from: Place, to: Place) -> Result<Moved, LibraryError> {
        self.work(|reply| Work::Move(from, to, reply)).await
    }

    /// Puts a cartridge into a drive, by default the first empty one.
    ///
    /// # Errors
    /// It is in a drive already, the drive holds another or none is free, or it cannot be opened.
    pub async fn load(&self, barcode: Barcode, drive: Option<u16>) -> Result<Moved, LibraryError> {
        self.work(|reply| Work::Load(barcode, drive, reply)).await
    }

    /// Empties a drive: back to the slot that the cartridge came from, else into the first free one.
    ///
    /// # Errors
    /// It is empty, a host prevents removal, no slot is free, the drive is busy or failed.
    pub async fn unload(&self, drive: u16) -> Result<Moved, LibraryError> {
        self.work(|reply| Work::Unload(drive, reply)).await
    }

    /// Takes a cartridge from an import/export slot, or from nowhere, into the first free slot.
    ///
    /// # Errors
    /// It is in a slot or a drive already, or no slot is free.
    pub async fn import(&self, barcode: Barcode) -> Result<Moved, LibraryError> {
        self.work(|reply| Work::Import(barcode, reply)).await
    }

    /// Begins to verify a cartridge, behind everything else: [`crate::Jobs`] says how it goes.
    ///
    /// # Errors
    /// There is none with this label, it is in a drive, or too many verifications wait.
    pub async fn verify(&self, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        self.work(|reply| Work::Verify(barcode, reply)).await
    }

    /// Begins to bring all of a cartridge into the cache, also one in a drive: [`crate::Jobs`] says how it goes.
    ///
    /// # Errors
    /// There is none with this label, there is no tier, or too many wait for the same.
    pub async fn stage(&self, barcode: Barcode) -> Result<JobInfo, LibraryError> {
        self.work(|reply| Work::Stage(barcode, reply)).await
    }

    /// Begins to write a cartridge to a file: [`crate::Jobs`] says how it goes.
    ///
    /// # Errors
    /// There is none with this label, it is in a drive or half made, or too many exports wait.
    pub async fn export_tape(&self, barcode: Barcode, order: ExportTape) -> Result<JobInfo, LibraryError> {
        self.work(|reply| Work::Export(barcode, order, reply)).await
    }

    /// Begins to make a cartridge from files: [`crate::Jobs`] says how it goes.
    ///
    /// # Errors
    /// The label is taken, the size is too small, the slot is missing, full or none is free, or too many imports wait.
    pub async fn import_tape(&self, order: ImportTape) -> Result<JobInfo, LibraryError> {
        self.work(|reply| Work::ImportTape(order, reply)).await
    }

    /// For the thread of a job: a cartridge has been made, and what an event says of it; `None` if it has not.
    pub(crate) fn conclude_import(&self, tape: Reserved, said: Option<String>) -> Result<(), LibraryError> {
        let (reply, answer) = oneshot::channel();
        let made = LibrarianRequest::Made(tape, said, reply);
        self.mouth.request(made).map_err(|_| LibraryError::Stopped)?;
        answer.blocking_recv().unwrap_or(Err(LibraryError::Stopped))
    }

    /// Takes a cartridge out of use that is going to another gateway: nobody loads it until [`Librarian::keep`].
    ///
    /// # Errors
    /// It is in a drive, or in a state that does not allow it; the catalog failed.
    pub async fn set_aside(&self, barcode: Barcode) -> Result<CartridgeId, LibraryError> {
        self.work(|reply| Work::SetAside(barcode, reply)).await
    }

    /// Takes it into use again: it stays.
    ///
    /// # Errors
    /// There is none with this label; the catalog failed.
    pub async fn keep(&self, barcode: Barcode) -> Result<(), LibraryError> {
        self.work(|reply| Work::Keep(barcode, reply)).await
    }

    /// It is another gateway's: its files and its place go.
    ///
    /// # Errors
    /// There is none with this label; the disk failed.
    pub async fn let_go(&self, barcode: Barcode) -> Result<(), LibraryError> {
        self.work(|reply| Work::LetGo(barcode, reply)).await
    }

    /// Whether a cartridge that comes from another gateway has a place.
    ///
    /// # Errors
    /// The label or the slot is taken, or no slot is free.
    pub async fn room_for(&self, barcode: Barcode, slot: Option<u16>) -> Result<(), LibraryError> {
        self.work(|reply| Work::RoomFor(barcode, slot, reply)).await
    }

    /// Lists a cartridge that came from another gateway and is in the store.
    ///
    /// # Errors
    /// As [`Librarian::room_for`].
    pub async fn take_in(&self, facts: Facts, slot: Option<u16>) -> Result<TapeInfo, LibraryError> {
        self.work(|reply| Work::TakeIn(facts, slot, reply)).await
    }

    async fn question<T>(&self, question: impl FnOnce(Reply<T>) -> Question) -> Result<T, LibraryError> {
        self.ask(|reply, permit| LibrarianRequest::Question(question(reply), permit)).await
    }

    async fn work<T>(&self, work: impl FnOnce(Reply<T>) -> Work) -> Result<T, LibraryError> {
        self.ask(|reply, permit| LibrarianRequest::Work(work(reply), permit)).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>, Permit) -> LibrarianRequest) -> Result<T, LibraryError> {
        let permit = Permit::take(&self.taken).ok_or(LibraryError::Busy)?;
        let (reply, answer) = oneshot::channel();
        self.mouth.request(request(reply, permit)).map_err(|error| match error {
            NotQueued::Full => LibraryError::Busy,
            NotQueued::Gone => LibraryError::Stopped,
        })?;
        answer.await.unwrap_or(Err(LibraryError::Stopped))
    }
}
