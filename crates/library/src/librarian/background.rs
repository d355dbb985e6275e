//! Jobs behind everything else: whether one may begin, and what goes before it.

use capstan_media::{Barcode, Place};

use super::actor::LibrarianActor;
use crate::LibraryError;
use crate::inventory::Plan;
use crate::jobs::JobInfo;

impl LibrarianActor {
    /// Begins in its turn, so no move of the cartridge is under way.
    pub(super) fn verify(&self, barcode: &Barcode) -> Result<JobInfo, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id) {
            return Err(LibraryError::InDrive { barcode: barcode.clone(), drive, action: "verified" });
        }
        // A drive that is late with letting it go may still have it.
        drop(self.store.claim(id)?);
        self.jobs.verify(id, barcode.clone())
    }

    /// Begins in its turn, so the cartridge is neither half made nor half deleted. A drive may have it.
    pub(super) fn stage(&self, barcode: &Barcode) -> Result<JobInfo, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        self.jobs.stage(id, barcode.clone())
    }

    /// A cartridge that goes into a drive is not verified any more.
    pub(super) fn stop_verifying(&self, plan: &Plan) {
        for moving in plan.relocations.iter().filter(|moving| matches!(moving.to, Place::Drive(_))) {
            self.jobs.give_up_verifying(moving.cartridge, &format!("the cartridge was wanted in {}", moving.to));
        }
    }
}
