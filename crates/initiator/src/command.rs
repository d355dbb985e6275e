//! A SCSI command and how it ended.

use bytes::Bytes;
use capstan_iscsi::pdu::{Residual, TaskAttribute};
use capstan_scsi::sam::{Cdb, Status};

use crate::Sense;

/// A SCSI command.
#[derive(Clone, Debug)]
pub struct Command {
    /// The command descriptor block.
    pub cdb: Cdb,
    /// Task attribute.
    pub attribute: TaskAttribute,
    /// What data goes which way.
    pub direction: Direction,
}

/// What data goes which way with a command.
#[derive(Clone, Debug)]
pub enum Direction {
    /// None.
    None,
    /// At most so many bytes come from the target.
    In(u32),
    /// These go to the target.
    Out(Bytes),
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Status.
    pub status: Status,
    /// Sense data as it came, empty if none did.
    pub sense: Bytes,
    /// Data from the target.
    pub data: Bytes,
    /// How far the target's transfer differs from what was announced.
    pub residual: Residual,
}

impl Command {
    /// A command without data.
    #[must_use]
    pub fn new(cdb: &[u8]) -> Self {
        Self { cdb: zero_filled(cdb), attribute: TaskAttribute::SIMPLE, direction: Direction::None }
    }

    /// A command that brings at most `limit` bytes.
    #[must_use]
    pub fn read(cdb: &[u8], limit: u32) -> Self {
        Self { direction: Direction::In(limit), ..Self::new(cdb) }
    }

    /// A command that takes data.
    #[must_use]
    pub fn write(cdb: &[u8], data: Bytes) -> Self {
        Self { direction: Direction::Out(data), ..Self::new(cdb) }
    }

    /// Bytes announced, whichever way they go.
    pub(crate) fn expected_data_transfer_length(&self) -> Option<u32> {
        match &self.direction {
            Direction::None => Some(0),
            Direction::In(limit) => Some(*limit),
            Direction::Out(data) => u32::try_from(data.len()).ok(),
        }
    }
}

impl Outcome {
    /// The sense data, understood; `None` where there is none or it is in no known form.
    #[must_use]
    pub fn sense(&self) -> Option<Sense> {
        Sense::parse(&self.sense)
    }
}

/// At most 16 bytes are looked at: no device here has longer commands.
fn zero_filled(bytes: &[u8]) -> Cdb {
    let mut cdb = [0; 16];
    for (to, from) in cdb.iter_mut().zip(bytes) {
        *to = *from;
    }
    Cdb(cdb)
}
