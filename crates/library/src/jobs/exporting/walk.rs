//! A tape from one place to another, object by object, whatever the lengths of its blocks.

use capstan_cartridge::Cartridge;
use capstan_media::{
    LocateTarget, LogicalObjectId, MediumFailure, MediumFailureKind, MediumOp, Partition, ReadRequest, SpaceTarget,
    Stop,
};

use super::Image;
use crate::jobs::transfer::{Transfer, TransferError};

/// Bytes that are read at once.
const BATCH: u32 = 4 << 20;

/// A cartridge on the way.
pub(super) struct Walk {
    tape: Cartridge,
    /// The object before which it ends.
    end: u64,
    /// What the next block is thought to have: what the last one had.
    length: u32,
    /// The object that was read once more.
    again: Option<u64>,
    transfer: Transfer,
}

impl Walk {
    /// From where the cartridge stands.
    pub(super) fn new(tape: Cartridge, end: u64) -> Self {
        Self { tape, end, length: 64 << 10, again: None, transfer: Transfer::default() }
    }

    /// What was read.
    pub(super) fn transfer(&self) -> Transfer {
        self.transfer
    }

    /// Host bytes before the place.
    pub(super) fn bytes_passed(&self) -> u64 {
        self.tape.bytes_passed()
    }

    /// Reads on; false at the end.
    pub(super) fn step(&mut self, image: &mut dyn Image) -> Result<bool, TransferError> {
        let before = self.tape.position();
        if before.object.0 >= self.end {
            return Ok(false);
        }
        let count = BATCH.checked_div(self.length).unwrap_or(1).max(1);
        let done = match self.tape.perform(MediumOp::Read(ReadRequest { block_length: self.length, count })) {
            Ok(done) => done,
            Err(failure) => {
                self.take(image, &failure.data, self.length)?;
                let is_filemark = failure.position.filemark > before.filemark;
                self.failed(image, before.object.0.saturating_add(failure.count), is_filemark, &failure)?;
                return Ok(true);
            }
        };
        let whole = usize::try_from(done.count.saturating_mul(u64::from(self.length))).unwrap_or(usize::MAX);
        let (blocks, rest) = done.data.split_at(whole.min(done.data.len()));
        self.take(image, blocks, self.length)?;
        match done.stop {
            Some(Stop::Filemark) => {
                image.filemark()?;
                self.transfer.filemarks = self.transfer.filemarks.saturating_add(1);
            }
            Some(Stop::IncorrectLength { actual }) => {
                if actual < self.length {
                    self.take(image, rest, actual)?;
                } else {
                    self.perform(MediumOp::Space(SpaceTarget::Blocks(-1)))?;
                }
                self.length = actual;
            }
            Some(Stop::EndOfData | Stop::BeginningOfPartition | Stop::EndOfPartition) => return Ok(false),
            None => {}
        }
        Ok(true)
    }

    fn take(&mut self, image: &mut dyn Image, data: &[u8], length: u32) -> Result<(), TransferError> {
        if data.is_empty() {
            return Ok(());
        }
        image.blocks(data, length)?;
        let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.transfer.bytes = self.transfer.bytes.saturating_add(bytes);
        self.transfer.blocks = self.transfer.blocks.saturating_add(bytes / u64::from(length.max(1)));
        Ok(())
    }

    /// An object could not be read. Its segment may be elsewhere by now, so it is read once more. Bytes that are damaged
    /// stay so, and are named in the image; what cannot be had now ends the export.
    fn failed(
        &mut self,
        image: &mut dyn Image,
        object: u64,
        is_filemark: bool,
        failure: &MediumFailure,
    ) -> Result<(), TransferError> {
        let now = self.tape.position();
        if self.again != Some(object) {
            self.again = Some(object);
            self.tape.look_again()?;
            let target = LocateTarget::Object(LogicalObjectId(object));
            return self.perform(MediumOp::Locate { partition: Partition(0), target });
        }
        if failure.kind == MediumFailureKind::Corrupt && now.object.0 > object {
            tracing::warn!(object, what = failure.message, "an object that cannot be read is exported as one");
            self.transfer.errors = self.transfer.errors.saturating_add(1);
            // The index of its segment says what it was.
            return if is_filemark { image.filemark() } else { image.unreadable() };
        }
        Err(TransferError::Medium { object, what: failure.message.clone() })
    }

    fn perform(&mut self, op: MediumOp) -> Result<(), TransferError> {
        let object = self.tape.position().object.0;
        self.tape.perform(op).map(drop).map_err(|failure| TransferError::Medium { object, what: failure.message })
    }
}
