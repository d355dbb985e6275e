//! The tables and their keys.

use capstan_media::{CartridgeId, Place};
use redb::TableDefinition;

/// Name of [`LIBRARY`].
pub(crate) const LIBRARY_NAME: &str = "library";

/// Name of [`CARTRIDGES`].
pub(crate) const CARTRIDGES_NAME: &str = "cartridges";

/// Name of [`PLACES`].
pub(crate) const PLACES_NAME: &str = "places";

/// One row under [`IDENTITY_KEY`], one under [`REVISION_KEY`].
pub(crate) const LIBRARY: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(LIBRARY_NAME);

/// The key of the identity in [`LIBRARY`].
pub(crate) const IDENTITY_KEY: &str = "identity";

/// The key of the number of changes in [`LIBRARY`].
pub(crate) const REVISION_KEY: &str = "revision";

/// Cartridges by identity.
pub(crate) const CARTRIDGES: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new(CARTRIDGES_NAME);

/// Occupied elements by kind and number, see [`place_key`].
pub(crate) const PLACES: TableDefinition<'_, (u8, u16), &[u8]> = TableDefinition::new(PLACES_NAME);

/// Rows of one table that are read at most: far above any library, far below what memory holds.
pub(crate) const MAX_ROWS: u64 = 1 << 20;

pub(crate) fn place_key(place: Place) -> (u8, u16) {
    match place {
        Place::Slot(number) => (1, number),
        Place::Io(number) => (2, number),
        Place::Drive(number) => (3, number),
    }
}

pub(crate) fn place(key: (u8, u16)) -> Option<Place> {
    match key {
        (1, number) => Some(Place::Slot(number)),
        (2, number) => Some(Place::Io(number)),
        (3, number) => Some(Place::Drive(number)),
        _ => None,
    }
}

pub(crate) fn cartridge(key: &[u8; 16]) -> CartridgeId {
    CartridgeId(*key)
}
