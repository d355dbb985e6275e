//! Changes of the catalog.

use capstan_catalog::{CatalogError, Change};
use capstan_media::{CartridgeId, Place};

use super::actor::LibrarianActor;
use crate::events::{EventKind, Subject};

impl LibrarianActor {
    /// Records changes durably, and makes them in memory once they are.
    ///
    /// After a failed commit the catalog's file may hold it or not. What is in memory is what hosts were told, so the
    /// next record writes all of that, and with it settles the doubt.
    pub(super) fn record(&mut self, changes: &[Change]) -> Result<(), CatalogError> {
        let written = self.write(changes);
        match &written {
            Ok(()) => {
                self.inventory.apply(changes);
                self.images.put(&self.catalog, self.inventory.state());
            }
            Err(error) => self.events.report(EventKind::NotRecorded, Subject::default(), error.to_string()),
        }
        written
    }

    fn write(&mut self, changes: &[Change]) -> Result<(), CatalogError> {
        if self.catalog.is_unsettled() {
            let mut state = self.inventory.state().clone();
            state.apply(changes);
            self.catalog.replace(&state)
        } else {
            self.catalog.commit(changes)
        }
    }

    /// Notes whether the cartridge in a drive is threaded: the next start opens it again.
    ///
    /// The host has its answer by then. A kill in between makes the next start thread a cartridge that a host has
    /// unloaded, with its position lost: nothing can be written to it by mistake.
    pub(super) fn record_threading(
        &mut self,
        drive: u16,
        cartridge: Option<CartridgeId>,
        threaded: bool,
        faulty: bool,
    ) {
        let place = Place::Drive(drive);
        let Some(row) = self.inventory.state().places.get(&place).copied() else { return };
        // A cartridge that could not be opened is tried again by the next start.
        if faulty || Some(row.cartridge) != cartridge || row.threaded == threaded {
            return;
        }
        let row = capstan_catalog::PlaceRow { threaded, ..row };
        if let Err(error) = self.record(&[Change::Place(place, row)]) {
            tracing::error!(drive, %error, "cannot record whether the cartridge in a drive is threaded");
        }
    }
}
