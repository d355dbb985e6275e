//! SCSI Command.

use super::bhs::flag;
use super::{Bhs, Opcode};
use crate::code::codes;

codes! {
    /// Task attribute, 3 bits. [RFC 7143 11.3.1]
    TaskAttribute {
        /// Untagged.
        UNTAGGED = 0,
        /// Simple.
        SIMPLE = 1,
        /// Ordered.
        ORDERED = 2,
        /// Head of queue.
        HEAD_OF_QUEUE = 3,
        /// Auto contingent allegiance.
        ACA = 4,
    }
}

/// SCSI Command. [RFC 7143 11.3]
///
/// A CDB of more than 16 bytes and the read length of a bidirectional command follow in additional header segments;
/// immediate data in the data segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScsiCommand {
    /// I bit.
    pub immediate: bool,
    /// F bit: no unsolicited Data-Out PDUs follow.
    pub is_final: bool,
    /// R bit: the command is expected to bring data.
    pub read: bool,
    /// W bit: the command is expected to take data.
    pub write: bool,
    /// ATTR.
    pub attribute: TaskAttribute,
    /// Logical unit number.
    pub lun: [u8; 8],
    /// Initiator task tag.
    pub initiator_task_tag: u32,
    /// Bytes that the initiator is ready to send (W) or to take (R).
    pub expected_data_transfer_length: u32,
    /// CmdSN.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
    /// The CDB's first 16 bytes, zero-filled.
    pub cdb: [u8; 16],
}

impl ScsiCommand {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            immediate: bhs.immediate(),
            is_final: bhs.is_final(),
            read: bhs.bit(1, 0x40),
            write: bhs.bit(1, 0x20),
            attribute: TaskAttribute(bhs.0[1] & 0x07),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            expected_data_transfer_length: bhs.u32(20),
            cmd_sn: bhs.u32(24),
            exp_stat_sn: bhs.u32(28),
            cdb: bhs.array(32),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::SCSI_COMMAND).with_immediate(self.immediate);
        let flags = flag(self.is_final, 0x80) | flag(self.read, 0x40) | flag(self.write, 0x20);
        bhs.put(1, &[flags | self.attribute.0 & 0x07]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.expected_data_transfer_length);
        bhs.put_u32(24, self.cmd_sn);
        bhs.put_u32(28, self.exp_stat_sn);
        bhs.put(32, &self.cdb);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden(
            "01a10000 00010000 0003000000000000 0000000a 00010000 0000000b 0000000c 0a000100 00000000 00000000 00000000",
        );
        let mut cdb = [0; 16];
        cdb[..6].copy_from_slice(&[0x0a, 0, 1, 0, 0, 0]);
        let pdu = ScsiCommand {
            immediate: false,
            is_final: true,
            read: false,
            write: true,
            attribute: TaskAttribute::SIMPLE,
            lun: [0, 3, 0, 0, 0, 0, 0, 0],
            initiator_task_tag: 10,
            expected_data_transfer_length: 65536,
            cmd_sn: 11,
            exp_stat_sn: 12,
            cdb,
        };
        assert_eq!(pdu.encode().with_data_segment_length(65536), bytes);
        assert_eq!(ScsiCommand::decode(&bytes), pdu);
        let read = ScsiCommand { read: true, write: false, is_final: false, immediate: true, ..pdu };
        assert_eq!(read.encode().0[..2], [0x41, 0x41]);
        assert_eq!(ScsiCommand::decode(&read.encode()), read);
    }
}
