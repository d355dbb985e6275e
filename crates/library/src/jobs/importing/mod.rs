//! How a new cartridge is made from files.
//!
//! The catalog has it as CREATING, with its place, from before its first byte until the last is on stable storage; then
//! one commit makes it AVAILABLE. So a kill at any moment leaves what `tape create` leaves: the next start removes it.
//! What the files hold goes through the upload buffer as what hosts write does, and gives way to it.

mod directory;
mod input;
mod laying;
mod tap;

use std::path::PathBuf;
use std::sync::Arc;

use capstan_cartridge::{Cartridge, NewCartridge, Options};
use capstan_disk::Disk;
use capstan_store::Store;

use self::input::Input;
use self::laying::Laying;
use super::order::{ImportFormat, ImportTape};
use super::transfer::{Transfer, TransferError, Watch, tell};
use crate::UploadBuffer;
use crate::view::Reserved;

/// What imports write with.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) options: Options,
    pub(crate) upload_buffer: Option<UploadBuffer>,
}

/// Bytes that are read at once of files that have no structure.
const BATCH: u32 = 4 << 20;

/// Makes a cartridge that the catalog has as CREATING. All of it is on stable storage then. Where it fails, what was
/// made is removed.
pub(super) fn import(
    store: &Store,
    means: &Means,
    tape: &Reserved,
    order: &ImportTape,
    watch: Watch<'_>,
) -> Result<Transfer, TransferError> {
    tell(watch, 0, order.at_least)?;
    let new = NewCartridge { id: tape.id, barcode: tape.barcode.clone(), capacity: tape.size };
    let made = Cartridge::create(store, new).map_err(TransferError::from).and_then(|()| {
        let mut laying = Laying::open(store, means, tape)?;
        lay(&mut laying, means.disk.as_ref(), order, watch)?;
        tell(watch, order.at_least, order.at_least)?;
        laying.close()
    });
    if made.is_err() {
        // One that was not made yet is not there, and one that stays is removed by the next start.
        let _ = capstan_cartridge::delete(store, tape.id);
    }
    made
}

fn lay(laying: &mut Laying<'_>, disk: &dyn Disk, order: &ImportTape, watch: Watch<'_>) -> Result<(), TransferError> {
    match order.format {
        ImportFormat::Tap => tap::lay(laying, open(disk, order)?, order.skip_errors, watch),
        ImportFormat::Files => directory::lay(laying, disk, order, watch),
        ImportFormat::Raw(length) => raw(laying, disk, order, length, watch),
    }
}

fn open(disk: &dyn Disk, order: &ImportTape) -> Result<Input, TransferError> {
    let path = order.files.first().cloned().unwrap_or_else(PathBuf::new);
    Input::open(disk, &path)
}

/// Each file becomes a tape file.
fn raw(
    laying: &mut Laying<'_>,
    disk: &dyn Disk,
    order: &ImportTape,
    length: u32,
    watch: Watch<'_>,
) -> Result<(), TransferError> {
    for path in &order.files {
        let mut input = Input::open(disk, path)?;
        let mut offset = 0;
        let batch = BATCH.checked_div(length).unwrap_or(1).max(1).saturating_mul(length);
        while offset < input.length() {
            let left = u32::try_from(input.length().saturating_sub(offset)).unwrap_or(u32::MAX);
            let bytes = input.bytes(offset, left.min(batch))?;
            for block in bytes.chunks(usize::try_from(length).unwrap_or(usize::MAX).max(1)) {
                laying.block(block)?;
            }
            offset = offset.saturating_add(u64::from(left.min(batch)));
            tell(watch, laying.bytes(), order.at_least)?;
            laying.give_way(&mut |done| tell(watch, done, order.at_least))?;
        }
        laying.filemarks(1)?;
    }
    Ok(())
}
