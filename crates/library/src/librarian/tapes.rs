//! Deleting, erasing and protecting cartridges.

use capstan_cartridge::CartridgeError;
use capstan_catalog::{CartridgeRow, CartridgeState, Change};
use capstan_media::{Barcode, CartridgeId, Place};
use capstan_store::StoreError;

use super::actor::{Current, LibrarianActor};
use super::job::Job;
use super::request::Reply;
use super::robot::{Owner, RobotJob};
use crate::LibraryError;
use crate::drive::Ask;
use crate::events::{EventKind, Subject};
use crate::view::DriveState;

impl LibrarianActor {
    /// Recorded as DELETING first: a kill in between is finished by the next start.
    pub(super) fn delete(&mut self, barcode: &Barcode) -> Result<(), LibraryError> {
        let (id, row) = self.idle(barcode, "deleted")?;
        self.jobs.give_up(id, "the cartridge was deleted");
        let deleting = CartridgeRow { state: CartridgeState::Deleting, ..row.clone() };
        self.record(&[Change::Cartridge(id, deleting)])?;
        match capstan_cartridge::delete(&self.store, id) {
            Ok(()) | Err(CartridgeError::Store(StoreError::NotFound(_))) => {}
            Err(source) => {
                if capstan_cartridge::inspect(&self.store, id).is_ok() {
                    self.record(&[Change::Cartridge(id, row)])?;
                }
                return Err(LibraryError::Cartridge { barcode: barcode.clone(), source });
            }
        }
        self.record(&gone(id, self.inventory.place_of(id)))?;
        self.tell(EventKind::Deleted, barcode, format!("cartridge {id}"));
        self.unit.server_mut().inventory_changed();
        Ok(())
    }

    pub(super) fn erase(&mut self, barcode: &Barcode) -> Result<(), LibraryError> {
        let (id, _) = self.idle(barcode, "erased")?;
        self.jobs.give_up(id, "the cartridge was erased");
        let erased = capstan_cartridge::erase(&self.store, id);
        self.inspect(id);
        erased.map_err(|source| LibraryError::Cartridge { barcode: barcode.clone(), source })?;
        self.tell(EventKind::Erased, barcode, format!("cartridge {id}"));
        Ok(())
    }

    /// A cartridge in a drive is protected by the drive, so that hosts see it at once.
    pub(super) fn protect(&mut self, barcode: &Barcode, protected: bool, reply: Reply<()>) {
        let id = match self.inventory.find(barcode) {
            Ok((id, _)) => id,
            Err(error) => return drop(reply.send(Err(error))),
        };
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id) {
            let job = Job::ask(drive, Ask::Protect(protected));
            self.current = Some(Current::robot(RobotJob::new(job, None, Owner::Protection(id, protected, reply))));
            return;
        }
        let done = capstan_cartridge::set_protected(&self.store, id, protected);
        self.inspect(id);
        let done = done.map_err(|source| LibraryError::Cartridge { barcode: barcode.clone(), source });
        if done.is_ok() {
            self.tell_protection(barcode, protected);
        }
        // Whoever asked may have gone.
        let _ = reply.send(done);
    }

    pub(super) fn tell_protection(&self, barcode: &Barcode, protected: bool) {
        let kind = if protected { EventKind::Protected } else { EventKind::Unprotected };
        self.tell(kind, barcode, "by an operator");
    }

    fn tell(&self, kind: EventKind, barcode: &Barcode, text: impl Into<String>) {
        self.events.report(kind, Subject::new(None, Some(barcode)), text);
    }

    /// What can be done only to a cartridge that no drive holds and nothing protects.
    pub(super) fn idle(
        &self,
        barcode: &Barcode,
        action: &'static str,
    ) -> Result<(CartridgeId, CartridgeRow), LibraryError> {
        let (id, row) = self.unloaded(barcode, action)?;
        match capstan_cartridge::inspect(&self.store, id) {
            Ok(facts) if facts.protected => Err(LibraryError::Protected { barcode: barcode.clone(), action }),
            // Nothing is there that could be protected.
            Ok(_) | Err(CartridgeError::Store(StoreError::NotFound(_))) => Ok((id, row)),
            Err(source) => Err(LibraryError::Cartridge { barcode: barcode.clone(), source }),
        }
    }

    /// What can be done only to a cartridge that no drive holds, protected or not.
    pub(super) fn unloaded(
        &self,
        barcode: &Barcode,
        action: &'static str,
    ) -> Result<(CartridgeId, CartridgeRow), LibraryError> {
        use CartridgeState::{Available, Irrecoverable, Recovered};
        let (id, row) = self.inventory.find(barcode)?;
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id) {
            return Err(LibraryError::InDrive { barcode: barcode.clone(), drive, action });
        }
        if !matches!(row.state, Available | Recovered | Irrecoverable) {
            return Err(LibraryError::WrongState { barcode: barcode.clone(), state: row.state.name(), action });
        }
        Ok((id, row.clone()))
    }

    /// Looks at a cartridge on disk, unless a drive has it open.
    pub(super) fn inspect(&mut self, id: CartridgeId) {
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id)
            && self.post(drive).is_some_and(|post| post.gauge.state() == DriveState::Loaded)
        {
            return;
        }
        let contents = capstan_cartridge::inspect(&self.store, id).map_err(|error| error.to_string());
        self.inventory.set_contents(id, contents);
    }
}

/// The rows of a cartridge and its place go.
pub(crate) fn gone(id: CartridgeId, place: Option<Place>) -> Vec<Change> {
    place.map(Change::PlaceEmpty).into_iter().chain([Change::CartridgeGone(id)]).collect()
}
