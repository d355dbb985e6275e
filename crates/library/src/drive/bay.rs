//! The bay of a drive: the cartridge that sits in it, threaded or not.
//!
//! All blocking. What the bay holds and what the catalog says may differ only while a move is under way.

use bytes::Bytes;
use capstan_cartridge::{Cartridge, CartridgeError, Facts, Options};
use capstan_device::ssc::Medium;
use capstan_media::{CartridgeId, MediumFailure, MediumFailureKind, MediumOp, MediumResult, Position};
use capstan_store::Store;

use super::report::Note;
use super::request::{Answer, Refusal};
use crate::events::EventKind;
use crate::view::DriveState;

/// A bay.
pub(crate) struct Bay {
    store: Store,
    options: Options,
    /// The cartridge in it. Kept apart from `tape`, so that it is known whatever happens to that.
    id: Option<CartridgeId>,
    tape: Tape,
    /// Opened for a move that is not recorded yet.
    prepared: Option<Box<Cartridge>>,
    /// What operators are to be told.
    notes: Vec<Note>,
}

enum Tape {
    /// Not threaded, or nothing there.
    Closed,
    Threaded(Box<Cartridge>),
    /// Could not be opened.
    Faulty(String),
}

impl Bay {
    /// A bay in which `id` sits, not threaded.
    pub(crate) fn new(store: Store, options: Options, id: Option<CartridgeId>) -> Self {
        Self { store, options, id, tape: Tape::Closed, prepared: None, notes: Vec::new() }
    }

    /// A bay with a threaded cartridge.
    pub(super) fn threaded(store: Store, options: Options, cartridge: Cartridge) -> Self {
        let id = Some(cartridge.facts().id);
        Self { store, options, id, tape: Tape::Threaded(Box::new(cartridge)), prepared: None, notes: Vec::new() }
    }

    /// Drops what is open as the death of the process would; what is known goes on.
    pub(super) fn abandon(self) -> (Store, Options, Option<CartridgeId>) {
        (self.store, self.options, self.id)
    }

    pub(crate) fn id(&self) -> Option<CartridgeId> {
        self.id
    }

    pub(crate) fn state(&self) -> DriveState {
        match (&self.tape, self.id) {
            (Tape::Threaded(_), _) => DriveState::Loaded,
            (Tape::Faulty(_), _) => DriveState::Faulty,
            (Tape::Closed, Some(_)) => DriveState::Unloaded,
            (Tape::Closed, None) => DriveState::Empty,
        }
    }

    /// Why the cartridge cannot be opened.
    pub(crate) fn problem(&self) -> Option<&str> {
        match &self.tape {
            Tape::Faulty(what) => Some(what),
            _ => None,
        }
    }

    /// The threaded cartridge as it is now.
    pub(crate) fn facts(&self) -> Option<Facts> {
        match &self.tape {
            Tape::Threaded(cartridge) => Some(cartridge.facts()),
            _ => None,
        }
    }

    /// Has work done on the threaded cartridge, if it is that one.
    pub(crate) fn lend(&mut self, id: CartridgeId, work: capstan_mover::Work) -> bool {
        match &mut self.tape {
            Tape::Threaded(cartridge) if self.id == Some(id) => {
                work(cartridge);
                true
            }
            _ => false,
        }
    }

    /// Objects of the threaded cartridge that are on stable storage.
    pub(crate) fn durable_to(&self) -> u64 {
        match &self.tape {
            Tape::Threaded(cartridge) => cartridge.durable_to(),
            _ => 0,
        }
    }

    /// The cartridge that is threaded.
    pub(crate) fn threaded_id(&self) -> Option<CartridgeId> {
        self.id.filter(|_| matches!(self.tape, Tape::Threaded(_)))
    }

    /// What operators are to be told since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn open(&mut self, id: CartridgeId) -> Result<Box<Cartridge>, String> {
        let cartridge = Cartridge::open_with(&self.store, id, self.options).map_err(|error| error.to_string())?;
        if let Some(found) = cartridge.recovered() {
            let text = format!(
                "looked through, since it had not been unloaded properly: objects {}, dropped segments {}, dropped \
                 bytes {} (never synchronised)",
                found.objects, found.dropped_segments, found.dropped_bytes
            );
            let barcode = cartridge.facts().barcode;
            self.notes.push(Note { kind: EventKind::Recovered, barcode, text });
        }
        Ok(Box::new(cartridge))
    }

    /// An operation would be brief on a disk that keeps up.
    pub(crate) fn is_brief(&self, op: &MediumOp) -> bool {
        matches!(&self.tape, Tape::Threaded(cartridge) if cartridge.is_brief(op))
    }

    /// An operation on the threaded cartridge.
    pub(crate) fn perform(&mut self, op: MediumOp) -> MediumResult {
        match &mut self.tape {
            Tape::Threaded(cartridge) => cartridge.perform(op),
            _ => Err(MediumFailure {
                kind: MediumFailureKind::ReadFault,
                position: Position::default(),
                count: 0,
                data: Bytes::new(),
                message: "no cartridge is threaded".to_owned(),
            }),
        }
    }

    /// Threads the cartridge that sits here; rewinds it if it is threaded already.
    pub(crate) fn load(&mut self) -> Result<Option<Medium>, String> {
        let Some(id) = self.id else { return Ok(None) };
        if let Tape::Threaded(cartridge) = &mut self.tape {
            cartridge.perform(MediumOp::Rewind).map_err(|failure| failure.message)?;
            return Ok(self.medium());
        }
        match self.open(id) {
            Ok(cartridge) => {
                self.tape = Tape::Threaded(cartridge);
                Ok(self.medium())
            }
            Err(what) => {
                self.tape = Tape::Faulty(what.clone());
                Err(what)
            }
        }
    }

    /// Makes the cartridge durable and unthreads it; on failure it stays threaded. `None` if it was not threaded.
    pub(crate) fn unload(&mut self) -> Result<Option<Facts>, String> {
        match std::mem::replace(&mut self.tape, Tape::Closed) {
            Tape::Threaded(cartridge) => match close(cartridge, &mut self.notes) {
                Ok(facts) => Ok(Some(facts)),
                Err((cartridge, what)) => {
                    self.tape = Tape::Threaded(cartridge);
                    Err(what)
                }
            },
            Tape::Closed | Tape::Faulty(_) => Ok(None),
        }
    }

    /// Unloads and lets go.
    pub(crate) fn withdraw(&mut self) -> Result<Answer, Refusal> {
        let threaded = matches!(self.tape, Tape::Threaded(_));
        let facts = self.unload().map_err(Refusal::Medium)?;
        self.id = None;
        Ok(Answer::Withdrawn { threaded, facts })
    }

    /// Opens a cartridge that is to be put in.
    pub(crate) fn prepare(&mut self, id: CartridgeId) -> Result<Answer, Refusal> {
        if self.id.is_some() || self.prepared.is_some() {
            return Err(Refusal::Fault("the drive holds another cartridge".to_owned()));
        }
        self.prepared = Some(self.open(id).map_err(Refusal::Medium)?);
        Ok(Answer::Done)
    }

    /// Takes in what was prepared.
    pub(crate) fn present(&mut self) -> Option<Medium> {
        let cartridge = self.prepared.take()?;
        self.id = Some(cartridge.facts().id);
        self.tape = Tape::Threaded(cartridge);
        self.medium()
    }

    /// Closes what was prepared.
    pub(crate) fn discard(&mut self) {
        if let Some(cartridge) = self.prepared.take()
            && let Err((_, what)) = close(cartridge, &mut self.notes)
        {
            tracing::warn!(%what, "a cartridge that was opened in vain was not closed cleanly");
        }
    }

    /// Takes back a cartridge that was withdrawn; threads it if it was threaded.
    pub(crate) fn restore(&mut self, id: CartridgeId, threaded: bool) -> Result<Option<Medium>, String> {
        self.id = Some(id);
        self.tape = Tape::Closed;
        if threaded { self.load() } else { Ok(None) }
    }

    /// Write-protects the threaded cartridge, or lifts that.
    pub(crate) fn protect(&mut self, protected: bool) -> Result<(), CartridgeError> {
        match (&mut self.tape, self.id) {
            (Tape::Threaded(cartridge), _) => cartridge.protect(protected),
            (_, Some(id)) => capstan_cartridge::set_protected(&self.store, id, protected),
            (_, None) => Ok(()),
        }
    }

    /// Closes everything at the end; what fails is left to the recovery scan of the next start.
    pub(crate) fn shut(&mut self) {
        self.discard();
        if let Err(what) = self.unload() {
            tracing::error!(%what, "a cartridge was not closed cleanly");
        }
    }

    fn medium(&self) -> Option<Medium> {
        let Tape::Threaded(cartridge) = &self.tape else { return None };
        let Facts { id, barcode, capacity, used, protected, fenced, .. } = cartridge.facts();
        let protected = protected || fenced;
        Some(Medium { id, barcode, capacity, used, protected, position: cartridge.position() })
    }
}

/// Synchronises, then closes. Gives the cartridge back if something acknowledged may not be durable.
///
/// A poisoned cartridge has told its host what was lost. It is let go without being marked clean, or it could never
/// leave the drive and be recovered.
fn close(mut cartridge: Box<Cartridge>, notes: &mut Vec<Note>) -> Result<Facts, (Box<Cartridge>, String)> {
    let facts = match cartridge.synchronise() {
        Ok(_) => cartridge.facts(),
        Err(failure) if failure.kind == MediumFailureKind::Poisoned => {
            let facts = cartridge.facts();
            let (barcode, text) = (facts.barcode.clone(), failure.message);
            notes.push(Note { kind: EventKind::LetGo, barcode, text });
            return Ok(facts);
        }
        Err(failure) => return Err((cartridge, failure.message)),
    };
    match cartridge.close() {
        Ok(facts) => Ok(facts),
        Err(error) => {
            tracing::warn!(%error, barcode = %facts.barcode, "a synchronised cartridge was not marked clean");
            Ok(facts)
        }
    }
}
