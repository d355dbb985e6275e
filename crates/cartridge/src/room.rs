//! Room on the disk that is not for blocks.
//!
//! A disk that hosts have filled to the last byte would fail filemarks, unloads, moves and the catalog too, and a job
//! that waits for space could not even end. So blocks are refused while less is free than [`crate::Options::reserve`]
//! for each loaded cartridge; everything else may use it.

use capstan_media::{ByteSize, MediumFailureKind};

use crate::cartridge::Cartridge;
use crate::fault::Fault;

/// Bytes that are written between two looks at the disk: little against the reserve, much against the cost of a look.
const GRANT: u64 = 4 << 20;

/// Bytes that a block takes besides its own: its record header and its part of the index.
const RECORD: u64 = 64;

impl Cartridge {
    /// Refuses to write blocks when the disk would be left with less than the reserve.
    pub(crate) fn check_room(&mut self, blocks: u64, length: u64) -> Result<(), Fault> {
        let bytes = blocks.saturating_mul(length.saturating_add(RECORD));
        if self.options.reserve == 0 || bytes == 0 {
            return Ok(());
        }
        if let Some(left) = self.granted.checked_sub(bytes) {
            self.granted = left;
            return Ok(());
        }
        self.granted = 0;
        let (free, reserved) = match self.directory.room(self.options.reserve) {
            Ok(room) => room,
            // The write itself will tell.
            Err(error) => {
                tracing::warn!(%error, "the room on the disk is not known");
                return Ok(());
            }
        };
        let room = free.saturating_sub(reserved);
        if room < bytes {
            let message = format!(
                "the disk is full: {} free, of which {} are kept for filemarks, unloads and the catalog",
                ByteSize(free),
                ByteSize(reserved)
            );
            return Err(Fault::new(MediumFailureKind::NoSpace, message));
        }
        self.granted = room.min(GRANT).saturating_sub(bytes);
        Ok(())
    }
}
