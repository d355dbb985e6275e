//! Segments that are no longer here.

use std::fmt;
use std::io;

use capstan_disk::File;
use capstan_media::CartridgeId;

/// Brings back what was evicted: whoever moves segments to another store provides it.
pub trait Recall: Send + Sync + fmt::Debug {
    /// Opens an evicted segment. A read of it waits until the bytes are there, and gives no other bytes than those that
    /// were evicted; it is never written.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if it is not known where the segment is; anything else says why it cannot be had now.
    fn open(&self, wanted: &Evicted) -> io::Result<Box<dyn File>>;

    /// It will be opened soon: what can be done before may be done now.
    fn expect(&self, wanted: &Evicted) {
        let _ = wanted;
    }
}

/// A segment that is in a tier: which, and what it is called there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Evicted {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// Bytes of the segment.
    pub length: u64,
    /// What tells its object from others of the same segment.
    pub random: u64,
    /// Bytes of its object.
    pub object_length: u64,
    /// The object is encrypted.
    pub encrypted: bool,
}
