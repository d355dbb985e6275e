//! SCSI Data-Out.

use super::bhs::flag;
use super::{Bhs, Opcode};

/// SCSI Data-Out. [RFC 7143 11.7]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataOut {
    /// F bit: last PDU of an unsolicited burst or of the answer to an R2T.
    pub is_final: bool,
    /// Copied from the R2T, else zeros.
    pub lun: [u8; 8],
    /// The command's tag.
    pub initiator_task_tag: u32,
    /// The R2T's tag; reserved in an unsolicited burst.
    pub target_transfer_tag: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
    /// Number of the PDU in its burst, from 0.
    pub data_sn: u32,
    /// Place of the data segment in the command's data, bytes.
    pub buffer_offset: u32,
}

impl DataOut {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            is_final: bhs.is_final(),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            exp_stat_sn: bhs.u32(28),
            data_sn: bhs.u32(36),
            buffer_offset: bhs.u32(40),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::DATA_OUT);
        bhs.put(1, &[flag(self.is_final, 0x80)]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        bhs.put_u32(28, self.exp_stat_sn);
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
        let bytes = golden("05800000 00002000 0000000000000000 00000001 00000002 0 00000003 0 00000004 00010000 0");
        let pdu = DataOut {
            is_final: true,
            lun: [0; 8],
            initiator_task_tag: 1,
            target_transfer_tag: 2,
            exp_stat_sn: 3,
            data_sn: 4,
            buffer_offset: 65536,
        };
        assert_eq!(pdu.encode().with_data_segment_length(8192), bytes);
        assert_eq!(DataOut::decode(&bytes), pdu);
    }
}
