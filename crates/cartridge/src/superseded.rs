//! What becomes of segments that hold nothing of the tape any more.
//!
//! The only place that removes segments. They are removed when what replaced them is durable; this is where keeping
//! them as a branch to roll back to would begin.

use capstan_format::Meta;
use capstan_store::{CartridgeDirectory, StoreError};

/// Removes superseded segments after a recovery point. One that cannot be removed stays in the list.
pub(crate) fn retire(directory: &mut CartridgeDirectory, superseded: &mut Vec<u64>) {
    superseded.retain(|sequence| match directory.remove_segment(*sequence) {
        Ok(()) => false,
        Err(error) => {
            tracing::warn!(%error, "superseded segment stays for now");
            true
        }
    });
}

/// Makes `meta` the truth about the cartridge, and clean, and removes segments that it does not need.
///
/// With something to remove, the truth is first recorded as open: it names the end of the tape, so that the segment
/// that says so may go; and after a crash in the middle the next recovery removes the rest.
pub(crate) fn settle(directory: &mut CartridgeDirectory, meta: &Meta, useless: &[u64]) -> Result<(), StoreError> {
    if !useless.is_empty() {
        directory.write_meta(&Meta { open: true, ..meta.clone() }.encode())?;
        for sequence in useless {
            directory.remove_segment(*sequence)?;
        }
    }
    directory.sync_names()?;
    directory.write_meta(&Meta { open: false, ..meta.clone() }.encode())
}
