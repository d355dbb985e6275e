//! The whole content of the catalog, in memory.

use std::collections::BTreeMap;

use capstan_media::{CartridgeId, Place};

use crate::image::{self, ImageError};
use crate::{CartridgeRow, Change, IdentityRow, PlaceRow, StateError};

/// Everything that the catalog holds. Libraries are small (thousands of cartridges), so all of it is read at start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// `None` before the first start.
    pub identity: Option<IdentityRow>,
    /// All cartridges.
    pub cartridges: BTreeMap<CartridgeId, CartridgeRow>,
    /// The elements that hold one.
    pub places: BTreeMap<Place, PlaceRow>,
}

impl State {
    /// As `docs/format/library-state-v1.md` has it, after change number `revision`. `mark`: zeros, or what tells it from
    /// others after the same change.
    #[must_use]
    pub fn encode(&self, revision: u64, mark: [u8; 8]) -> Vec<u8> {
        image::encode(self, revision, mark)
    }

    /// The state at the beginning of these bytes, not checked for contradictions, and the number of its last change.
    ///
    /// # Errors
    /// They are none, damaged, or were written by a newer release.
    pub fn decode(bytes: &[u8]) -> Result<(u64, Self), ImageError> {
        image::decode(bytes)
    }

    /// Applies changes in order.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Identity(row) => self.identity = Some(row),
                Change::Cartridge(id, row) => {
                    self.cartridges.insert(id, row);
                }
                Change::CartridgeGone(id) => {
                    self.cartridges.remove(&id);
                }
                Change::Place(place, row) => {
                    self.places.insert(place, row);
                }
                Change::PlaceEmpty(place) => {
                    self.places.remove(&place);
                }
            }
        }
    }

    /// Checks what every state keeps: a cartridge is in one place at most, and what is in a place is listed; labels
    /// are unique.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), StateError> {
        let mut seen = BTreeMap::new();
        for (place, row) in &self.places {
            let cartridge = row.cartridge;
            if !self.cartridges.contains_key(&cartridge) {
                return Err(StateError::UnknownCartridge { place: *place, cartridge });
            }
            if let Some(first) = seen.insert(cartridge, *place) {
                return Err(StateError::TwoPlaces { cartridge, first, second: *place });
            }
        }
        let mut labels = BTreeMap::new();
        for (second, row) in &self.cartridges {
            if let Some(first) = labels.insert(&row.barcode, *second) {
                return Err(StateError::SameBarcode { barcode: row.barcode.to_string(), first, second: *second });
            }
        }
        Ok(())
    }
}
