//! What there is to know about a cartridge without reading it.

use capstan_format::{Meta, Point};
use capstan_media::{Barcode, CartridgeId};

/// What a new cartridge is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCartridge {
    /// Its identity; the caller draws it.
    pub id: CartridgeId,
    /// Its label.
    pub barcode: Barcode,
    /// Host bytes that it holds. The life-cycle rules (minimum size) are the library's.
    pub capacity: u64,
}

/// The state of a cartridge, loaded or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its identity.
    pub id: CartridgeId,
    /// Its label.
    pub barcode: Barcode,
    /// Host bytes that it holds.
    pub capacity: u64,
    /// Host bytes written up to end of data. Of an unloaded cartridge that is not [`Facts::clean`]: as of its last
    /// recovery or unload.
    pub used: u64,
    /// Logical objects (blocks and filemarks) up to end of data, with the same reservation.
    pub objects: u64,
    /// Filemarks among them.
    pub filemarks: u64,
    /// Hosts may not write it.
    pub protected: bool,
    /// Another gateway goes on with it: what is on it is kept, and nothing more is written.
    pub fenced: bool,
    /// It was unloaded properly, or not written since it was loaded: opening it needs no recovery scan.
    pub clean: bool,
}

impl Facts {
    pub(crate) fn new(meta: &Meta, end: Point) -> Self {
        Self {
            id: meta.cartridge,
            barcode: meta.barcode.clone(),
            capacity: meta.capacity,
            used: end.byte,
            objects: end.object,
            filemarks: end.filemark,
            protected: meta.protected,
            fenced: false,
            clean: !meta.open,
        }
    }
}

/// Filemarks that a cartridge of `capacity` host bytes holds.
///
/// They take no capacity, but each takes room on the disk: without a bound, a host could fill the disk with them.
#[must_use]
pub fn filemark_limit(capacity: u64) -> u64 {
    65_536 + capacity / 4096
}
