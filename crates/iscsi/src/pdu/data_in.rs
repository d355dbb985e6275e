//! SCSI Data-In.

use super::bhs::flag;
use super::{Bhs, Opcode, Residual, TargetNumbers};

/// SCSI Data-In. [RFC 7143 11.7]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataIn {
    /// F bit: last PDU of a sequence.
    pub is_final: bool,
    /// A bit: acknowledge by SNACK; never at error recovery level 0.
    pub acknowledge: bool,
    /// S bit: the command is over, with this status; no SCSI Response follows.
    pub status: Option<u8>,
    /// Residual, only with a status.
    pub residual: Residual,
    /// Only with the A bit, else zeros.
    pub lun: [u8; 8],
    /// The command's tag.
    pub initiator_task_tag: u32,
    /// Reserved tag without the A bit.
    pub target_transfer_tag: u32,
    /// Sequence numbers; StatSN only counts with a status.
    pub numbers: TargetNumbers,
    /// Number of the PDU in the command, from 0.
    pub data_sn: u32,
    /// Place of the data segment in the command's data, bytes.
    pub buffer_offset: u32,
}

impl DataIn {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        let status = bhs.bit(1, 0x01).then_some(bhs.0[3]);
        Self {
            is_final: bhs.is_final(),
            acknowledge: bhs.bit(1, 0x40),
            status,
            residual: if status.is_some() { Residual::decode(bhs) } else { Residual::None },
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            numbers: TargetNumbers::decode(bhs),
            data_sn: bhs.u32(36),
            buffer_offset: bhs.u32(40),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::DATA_IN);
        let mut flags = flag(self.is_final, 0x80) | flag(self.acknowledge, 0x40);
        if let Some(status) = self.status {
            flags |= 0x01 | self.residual.encode(&mut bhs);
            bhs.put(3, &[status]);
        }
        bhs.put(1, &[flags]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        self.numbers.encode(&mut bhs);
        bhs.put_u32(36, self.data_sn);
        bhs.put_u32(40, self.buffer_offset);
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
            "25830000 00000024 0000000000000000 00000005 ffffffff 00000006 00000007 00000008 00000001 00002000 000000db",
        );
        let pdu = DataIn {
            is_final: true,
            acknowledge: false,
            status: Some(0),
            residual: Residual::Underflow(0xdb),
            lun: [0; 8],
            initiator_task_tag: 5,
            target_transfer_tag: 0xffff_ffff,
            numbers: TargetNumbers { stat_sn: 6, exp_cmd_sn: 7, max_cmd_sn: 8 },
            data_sn: 1,
            buffer_offset: 8192,
        };
        assert_eq!(pdu.encode().with_data_segment_length(36), bytes);
        assert_eq!(DataIn::decode(&bytes), pdu);
        let middle = DataIn { is_final: false, status: None, residual: Residual::None, ..pdu };
        assert_eq!(middle.encode().0[1], 0);
        assert_eq!(DataIn::decode(&middle.encode()), middle);
    }
}
