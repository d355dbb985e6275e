//! Cartridges that somebody else makes, and takes his time: a name and a place are kept for them.
//!
//! The row says CREATING meanwhile: a start that finds it removes what is there of the cartridge, since nobody was told that
//! it exists.

use capstan_catalog::{CartridgeState, Change};
use capstan_media::{Barcode, CartridgeId, Place};

use super::actor::LibrarianActor;
use super::making::{NewTape, check_size};
use super::tapes::gone;
use crate::LibraryError;
use crate::events::{EventKind, Subject};
use crate::view::{Reserved, TapeInfo};

impl LibrarianActor {
    /// Keeps a barcode and a slot, the first free one unless it is named.
    pub(super) fn reserve(
        &mut self,
        barcode: Barcode,
        size: Option<u64>,
        slot: Option<u16>,
    ) -> Result<Reserved, LibraryError> {
        let size = check_size(size.unwrap_or(self.tape_size))?;
        if self.inventory.barcodes().contains(barcode.as_str()) {
            return Err(LibraryError::BarcodeTaken(barcode));
        }
        let place = match slot.map(Place::Slot) {
            Some(place) => self.empty(place)?,
            None => {
                let free = self.inventory.free_slots().next();
                free.ok_or(LibraryError::NoFreeSlot { wanted: 1, free: 0 })?
            }
        };
        let tape = NewTape::new(barcode.clone(), size, place);
        self.record(&tape.begin())?;
        Ok(Reserved { id: tape.id, barcode, size, place })
    }

    fn empty(&self, place: Place) -> Result<Place, LibraryError> {
        if let Some(id) = self.inventory.at(place) {
            let barcode = self.inventory.barcode(id).ok_or(LibraryError::Busy)?;
            return Err(LibraryError::Occupied { place, barcode });
        }
        if self.inventory.free_slots().any(|free| free == place) {
            return Ok(place);
        }
        Err(LibraryError::UnknownPlace(place, crate::inventory::count(self.inventory.layout(), place)))
    }

    /// The cartridge is there, durably: from now on it is one of the library.
    pub(super) fn conclude_reserved(
        &mut self,
        reserved: &Reserved,
        kind: EventKind,
        text: String,
    ) -> Result<TapeInfo, LibraryError> {
        let id = self.reserved(reserved)?;
        let unknown = || LibraryError::UnknownTape(reserved.barcode.clone());
        let row = self.inventory.cartridge(id).cloned().ok_or_else(unknown)?;
        self.record(&[Change::Cartridge(
            id,
            capstan_catalog::CartridgeRow { state: CartridgeState::Available, ..row },
        )])?;
        self.inspect(id);
        self.events.report(kind, Subject::new(None, Some(&reserved.barcode)), text);
        self.unit.server_mut().inventory_changed();
        self.tape_info(id).ok_or_else(unknown)
    }

    /// It is not to be: what is there of it goes.
    pub(super) fn give_up_reserved(&mut self, reserved: &Reserved) -> Result<(), LibraryError> {
        let id = self.reserved(reserved)?;
        // It may not have been begun.
        let _ = capstan_cartridge::delete(&self.store, id);
        self.record(&gone(id, self.inventory.place_of(id)))?;
        Ok(())
    }

    /// The cartridge, if it is still one that is being made.
    fn reserved(&self, reserved: &Reserved) -> Result<CartridgeId, LibraryError> {
        let row = self.inventory.cartridge(reserved.id).filter(|row| row.state == CartridgeState::Creating);
        row.map(|_| reserved.id).ok_or_else(|| LibraryError::UnknownTape(reserved.barcode.clone()))
    }
}
