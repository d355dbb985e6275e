//! Jobs behind everything else: whether one may begin, and what goes before it.

use capstan_catalog::CartridgeState;
use capstan_media::{Barcode, CartridgeId, Place};

use super::actor::LibrarianActor;
use crate::LibraryError;
use crate::events::EventKind;
use crate::inventory::Plan;
use crate::jobs::{ExportTape, ImportTape, JobInfo, Order};
use crate::view::Reserved;

impl LibrarianActor {
    /// Begins in its turn, so no move of the cartridge is under way.
    pub(super) fn verify(&self, barcode: &Barcode) -> Result<JobInfo, LibraryError> {
        let id = self.at_rest(barcode, "verified")?;
        self.jobs.verify(id, barcode.clone())
    }

    /// Begins in its turn, as a verification does.
    pub(super) fn export(&self, barcode: &Barcode, order: ExportTape) -> Result<JobInfo, LibraryError> {
        let id = self.at_rest(barcode, "exported")?;
        self.jobs.begin(Order::Export(order), id, barcode.clone())
    }

    /// Begins to make a cartridge from files: the job makes it, its label and its place are taken from now on.
    pub(super) fn import_tape(&mut self, order: ImportTape) -> Result<JobInfo, LibraryError> {
        let size = order.size.unwrap_or(self.tape_size.max(order.at_least));
        let reserved = self.reserve(order.barcode.clone(), Some(size), order.slot)?;
        let begun = self.jobs.begin(Order::Import(reserved.clone(), order), reserved.id, reserved.barcode.clone());
        if begun.is_err() {
            self.give_up_reserved(&reserved)?;
        }
        begun
    }

    /// A job has made a cartridge, and an event says this of it; or it has not.
    pub(super) fn made(&mut self, reserved: &Reserved, said: Option<String>) -> Result<(), LibraryError> {
        let Some(said) = said else { return self.give_up_reserved(reserved) };
        self.conclude_reserved(reserved, EventKind::Imported, said).map(drop)
    }

    /// A cartridge that no drive has, and that is neither half made nor half deleted.
    fn at_rest(&self, barcode: &Barcode, action: &'static str) -> Result<CartridgeId, LibraryError> {
        use CartridgeState::{Creating, Deleting};
        let (id, row) = self.inventory.find(barcode)?;
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id) {
            return Err(LibraryError::InDrive { barcode: barcode.clone(), drive, action });
        }
        if matches!(row.state, Creating | Deleting) {
            return Err(LibraryError::WrongState { barcode: barcode.clone(), state: row.state.name(), action });
        }
        // A drive that is late with letting it go may still have it.
        drop(self.store.claim(id)?);
        Ok(id)
    }

    /// Begins in its turn, so the cartridge is neither half made nor half deleted. A drive may have it.
    pub(super) fn stage(&self, barcode: &Barcode) -> Result<JobInfo, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        self.jobs.stage(id, barcode.clone())
    }

    /// A cartridge that goes into a drive is neither verified nor exported any more.
    pub(super) fn stop_reading(&self, plan: &Plan) {
        for moving in plan.relocations.iter().filter(|moving| matches!(moving.to, Place::Drive(_))) {
            self.jobs.give_up_reading(moving.cartridge, &format!("the cartridge was wanted in {}", moving.to));
        }
    }
}
