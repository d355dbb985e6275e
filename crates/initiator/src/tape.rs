//! Calls for a tape drive.

use std::ops::Deref;

use bytes::Bytes;
use capstan_scsi::sam::Status;

use crate::sense::{BLANK_CHECK, NO_SENSE};
use crate::{Command, Device, DeviceError, InitiatorError, Outcome, Sense};

/// A tape drive. Everything that a [`Device`] can do it can do too.
#[derive(Clone, Debug)]
pub struct Tape(Device);

/// What READ(6) of one block found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BlockRead {
    /// A block.
    Block(Bytes),
    /// A filemark; the position is after it.
    Filemark,
    /// Nothing: the position is end of data.
    EndOfData,
}

/// A block, or filemarks, were written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The position is behind early warning: it is time to come to an end.
    pub early_warning: bool,
}

/// What SPACE(6) counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpaceKind {
    /// Blocks.
    Blocks,
    /// Filemarks.
    Filemarks,
    /// Not at all: it goes to end of data.
    EndOfData,
}

/// READ POSITION, long form. [SSC-5 7.7.3]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TapePosition {
    /// BOP: at the beginning of the partition.
    pub beginning_of_partition: bool,
    /// EOP: between early warning and the end of the partition.
    pub end_of_partition: bool,
    /// LONU: the drive does not know where it is, and what follows means nothing.
    pub unknown: bool,
    /// PARTITION NUMBER.
    pub partition: u32,
    /// LOGICAL OBJECT NUMBER: the next block or filemark.
    pub object: u64,
    /// LOGICAL FILE IDENTIFIER: filemarks before the position.
    pub file: u64,
}

impl Tape {
    /// The drive behind a device.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self(device)
    }

    /// REWIND.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn rewind(&self) -> Result<(), DeviceError> {
        self.0.good("REWIND", Command::new(&[0x01, 0, 0, 0, 0, 0])).await.map(drop)
    }

    /// WRITE(6) in variable-block mode: one block.
    ///
    /// # Errors
    /// [`DeviceError`]; a block that no longer fits is VOLUME OVERFLOW.
    pub async fn write_block(&self, block: Bytes) -> Result<Written, DeviceError> {
        let length = transfer_length("WRITE", u32::try_from(block.len()).unwrap_or(u32::MAX))?;
        self.write("WRITE", Command::write(&six(0x0a, 0, length), block)).await
    }

    /// WRITE(6) in fixed-block mode: as many blocks as `count` says.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn write_fixed(&self, count: u32, blocks: Bytes) -> Result<Written, DeviceError> {
        let length = transfer_length("WRITE", count)?;
        self.write("WRITE", Command::write(&six(0x0a, 1, length), blocks)).await
    }

    /// WRITE FILEMARKS(6). Without `immediate` all that was written is on stable storage when this is done.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn write_filemarks(&self, count: u32, immediate: bool) -> Result<Written, DeviceError> {
        let length = transfer_length("WRITE FILEMARKS", count)?;
        self.write("WRITE FILEMARKS", Command::new(&six(0x10, u8::from(immediate), length))).await
    }

    /// READ(6) in variable-block mode with SILI: the next block, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn read_block(&self, limit: u32) -> Result<BlockRead, DeviceError> {
        let length = transfer_length("READ", limit)?;
        self.read(Command::read(&six(0x08, 0x02, length), limit)).await
    }

    /// READ(6) in fixed-block mode: `count` blocks of `block_length` bytes, or those before a filemark.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn read_fixed(&self, count: u32, block_length: u32) -> Result<BlockRead, DeviceError> {
        let length = transfer_length("READ", count)?;
        self.read(Command::read(&six(0x08, 0x01, length), count.saturating_mul(block_length))).await
    }

    /// SPACE(6): over `count` blocks or filemarks, back where it is negative.
    ///
    /// # Errors
    /// [`DeviceError`]; a filemark or an end on the way is a CHECK CONDITION with the residue as information.
    pub async fn space(&self, kind: SpaceKind, count: i32) -> Result<(), DeviceError> {
        let code = match kind {
            SpaceKind::Blocks => 0,
            SpaceKind::Filemarks => 1,
            SpaceKind::EndOfData => 3,
        };
        let [_, high, middle, low] = count.to_be_bytes();
        self.0.good("SPACE", Command::new(&[0x11, code, high, middle, low, 0])).await.map(drop)
    }

    /// LOCATE(16): just before a logical object of the current partition.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn locate(&self, object: u64) -> Result<(), DeviceError> {
        let mut cdb = [0; 16];
        cdb[0] = 0x92;
        cdb[4..12].copy_from_slice(&object.to_be_bytes());
        self.0.good("LOCATE", Command::new(&cdb)).await.map(drop)
    }

    /// READ POSITION, long form.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn read_position(&self) -> Result<TapePosition, DeviceError> {
        let command = Command::read(&[0x34, 0x06, 0, 0, 0, 0, 0, 0, 0, 0], 32);
        let data = self.0.good("READ POSITION", command).await?.data;
        position(&data).ok_or(DeviceError::Answer { command: "READ POSITION" })
    }

    /// LOAD UNLOAD: load.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn load(&self) -> Result<(), DeviceError> {
        self.0.good("LOAD", Command::new(&[0x1b, 0, 0, 0, 1, 0])).await.map(drop)
    }

    /// LOAD UNLOAD: unload.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn unload(&self) -> Result<(), DeviceError> {
        self.0.good("UNLOAD", Command::new(&[0x1b, 0, 0, 0, 0, 0])).await.map(drop)
    }

    /// ERASE(6): everything behind the position is gone.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn erase(&self) -> Result<(), DeviceError> {
        self.0.good("ERASE", Command::new(&[0x19, 0x01, 0, 0, 0, 0])).await.map(drop)
    }

    /// READ BLOCK LIMITS: the shortest and the longest block.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn read_block_limits(&self) -> Result<(u32, u32), DeviceError> {
        let data = self.0.good("READ BLOCK LIMITS", Command::read(&[0x05, 0, 0, 0, 0, 0], 6)).await?.data;
        let limits: &[u8; 6] = data.first_chunk().ok_or(DeviceError::Answer { command: "READ BLOCK LIMITS" })?;
        let [_, a, b, c, d, e] = *limits;
        Ok((u32::from(u16::from_be_bytes([d, e])), u32::from_be_bytes([0, a, b, c])))
    }

    /// MODE SELECT of the block length; 0 is variable-block mode.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn set_block_length(&self, block_length: u32) -> Result<(), DeviceError> {
        let [_, high, middle, low] = transfer_length("MODE SELECT", block_length)?.to_be_bytes();
        // Header with buffered mode, block descriptor with the present density. [SPC-5 7.5.5, SSC-5 8.3]
        let list = [0, 0, 0x10, 8, 0, 0, 0, 0, 0, high, middle, low];
        self.0.mode_select(Bytes::copy_from_slice(&list)).await
    }

    /// Early warning is reported by a CHECK CONDITION with NO SENSE and EOM; the data is written. [SSC-5 4.2.11]
    async fn write(&self, name: &'static str, command: Command) -> Result<Written, DeviceError> {
        match self.0.good(name, command).await {
            Ok(_) => Ok(Written { early_warning: false }),
            Err(DeviceError::Check { sense, .. }) if sense.key == NO_SENSE && sense.end_of_medium => {
                Ok(Written { early_warning: true })
            }
            Err(error) => Err(error),
        }
    }

    async fn read(&self, command: Command) -> Result<BlockRead, DeviceError> {
        let outcome = self.0.execute("READ", command).await?;
        match (outcome.status, outcome.sense()) {
            (Status::GOOD, _) => Ok(BlockRead::Block(outcome.data)),
            (Status::CHECK_CONDITION, Some(sense)) => ended(&outcome, sense),
            (status, _) => Err(DeviceError::Status { command: "READ", status }),
        }
    }
}

impl Deref for Tape {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.0
    }
}

/// A read that ended early; blocks before a filemark count more than the filemark.
fn ended(outcome: &Outcome, sense: Sense) -> Result<BlockRead, DeviceError> {
    let nothing = outcome.data.is_empty();
    match (sense.filemark, sense.key) {
        (true, NO_SENSE) if nothing => Ok(BlockRead::Filemark),
        (false, BLANK_CHECK) if nothing => Ok(BlockRead::EndOfData),
        (true, NO_SENSE) => Ok(BlockRead::Block(outcome.data.clone())),
        _ => Err(DeviceError::Check { command: "READ", sense }),
    }
}

fn position(data: &[u8]) -> Option<TapePosition> {
    let flags = *data.first()?;
    let field = |from: usize| data.get(from..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    Some(TapePosition {
        beginning_of_partition: flags & 0x80 != 0,
        end_of_partition: flags & 0x40 != 0,
        unknown: flags & 0x04 != 0,
        partition: data.get(4..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))?,
        object: field(8)?,
        file: field(16)?,
    })
}

fn six(opcode: u8, flags: u8, length: u32) -> [u8; 6] {
    let [_, high, middle, low] = length.to_be_bytes();
    [opcode, flags, high, middle, low, 0]
}

/// A length that fits into the three bytes of a six-byte CDB.
fn transfer_length(command: &'static str, length: u32) -> Result<u32, DeviceError> {
    let error = InitiatorError::Request("the transfer length of a six-byte command is below 16 Mi");
    if length < 1 << 24 { Ok(length) } else { Err(DeviceError::Session { command, error }) }
}

#[cfg(test)]
mod tests {
    use capstan_iscsi::pdu::Residual;

    use super::*;

    #[test]
    fn golden_position() {
        let mut data = [0; 32];
        data[0] = 0x44;
        data[7] = 1;
        data[15] = 9;
        data[23] = 2;
        let found = position(&data).unwrap();
        assert!(!found.beginning_of_partition && found.end_of_partition && found.unknown);
        assert_eq!((found.partition, found.object, found.file), (1, 9, 2));
        assert_eq!(position(&data[..23]), None);
    }

    #[test]
    fn six_byte_commands() {
        assert_eq!(six(0x0a, 0, 0x01_02_03), [0x0a, 0, 1, 2, 3, 0]);
        assert!(transfer_length("WRITE", 1 << 24).is_err());
    }

    #[test]
    fn blocks_before_a_filemark_count_more_than_the_filemark() {
        let sense = Sense::parse(&[0xf0, 0, 0x80, 0, 0, 0, 1, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]).unwrap();
        let outcome = |data: &'static [u8]| Outcome {
            status: Status::CHECK_CONDITION,
            sense: Bytes::new(),
            data: Bytes::from_static(data),
            residual: Residual::None,
        };
        assert_eq!(ended(&outcome(b""), sense).unwrap(), BlockRead::Filemark);
        assert_eq!(ended(&outcome(b"x"), sense).unwrap(), BlockRead::Block(Bytes::from_static(b"x")));
    }
}
