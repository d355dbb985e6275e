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
    fn open(&self, cartridge: CartridgeId, sequence: u64) -> io::Result<Box<dyn File>>;
}
