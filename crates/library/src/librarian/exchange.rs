//! Cartridges that go to other gateways, and come from them. Whoever ships them does what concerns the tier.

use capstan_cartridge::{CartridgeError, Facts};
use capstan_catalog::{CartridgeRow, CartridgeState, Change, PlaceRow};
use capstan_media::{Barcode, CartridgeId, Place};
use capstan_store::StoreError;

use super::actor::LibrarianActor;
use super::tapes::gone;
use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::view::TapeInfo;

impl LibrarianActor {
    /// Takes a cartridge out of use, durably: nobody loads it until it is kept after all, or gone.
    pub(super) fn set_aside(&mut self, barcode: &Barcode) -> Result<CartridgeId, LibraryError> {
        use CartridgeState::{Available, InTransit, Recovered};
        let action = "handed over";
        let (id, row) = self.inventory.find(barcode)?;
        let row = row.clone();
        if let Some(Place::Drive(drive)) = self.inventory.place_of(id) {
            return Err(LibraryError::InDrive { barcode: barcode.clone(), drive, action });
        }
        match row.state {
            // It was begun before, and came to no end.
            InTransit => {}
            Available | Recovered => {
                self.jobs.give_up(id, "the cartridge is handed over");
                self.record(&[Change::Cartridge(id, CartridgeRow { state: InTransit, ..row })])?;
            }
            state => return Err(LibraryError::WrongState { barcode: barcode.clone(), state: state.name(), action }),
        }
        Ok(id)
    }

    /// Takes it into use again.
    pub(super) fn keep(&mut self, barcode: &Barcode) -> Result<(), LibraryError> {
        let (id, row) = self.inventory.find(barcode)?;
        let row = row.clone();
        if row.state == CartridgeState::InTransit {
            self.record(&[Change::Cartridge(id, CartridgeRow { state: CartridgeState::Available, ..row })])?;
        }
        Ok(())
    }

    /// It is another gateway's: its files and its rows go.
    pub(super) fn let_go(&mut self, barcode: &Barcode) -> Result<(), LibraryError> {
        let (id, row) = self.inventory.find(barcode)?;
        let deleting = CartridgeRow { state: CartridgeState::Deleting, ..row.clone() };
        self.record(&[Change::Cartridge(id, deleting)])?;
        match capstan_cartridge::delete(&self.store, id) {
            Ok(()) | Err(CartridgeError::Store(StoreError::NotFound(_))) => {}
            Err(source) => return Err(LibraryError::Cartridge { barcode: barcode.clone(), source }),
        }
        self.record(&gone(id, self.inventory.place_of(id)))?;
        self.unit.server_mut().inventory_changed();
        Ok(())
    }

    /// Whether a cartridge that comes has a place: the one that is named, or the first free slot.
    pub(super) fn room_for(&self, barcode: &Barcode, slot: Option<u16>) -> Result<Place, LibraryError> {
        if self.inventory.find(barcode).is_ok() {
            return Err(LibraryError::BarcodeTaken(barcode.clone()));
        }
        match slot {
            None => self.inventory.free_slots().next().ok_or(LibraryError::NoFreeSlot { wanted: 1, free: 0 }),
            Some(number) => {
                let place = self.existing(Place::Slot(number))?;
                match self.inventory.at(place).and_then(|holder| self.inventory.barcode(holder)) {
                    Some(barcode) => Err(LibraryError::Occupied { place, barcode }),
                    None => Ok(place),
                }
            }
        }
    }

    /// Lists a cartridge that came.
    pub(super) fn take_in(&mut self, facts: &Facts, slot: Option<u16>) -> Result<TapeInfo, LibraryError> {
        let place = self.room_for(&facts.barcode, slot)?;
        let row = CartridgeRow {
            barcode: facts.barcode.clone(),
            capacity: facts.capacity,
            state: CartridgeState::Available,
            created: unix_seconds(),
        };
        let held = PlaceRow { cartridge: facts.id, source: None, placed_by_operator: false, threaded: false };
        self.record(&[Change::Cartridge(facts.id, row), Change::Place(place, held)])?;
        self.inspect(facts.id);
        self.unit.server_mut().inventory_changed();
        self.tape_info(facts.id).ok_or_else(|| LibraryError::UnknownTape(facts.barcode.clone()))
    }
}
