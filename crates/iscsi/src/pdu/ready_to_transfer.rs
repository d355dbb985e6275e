//! Ready To Transfer.

use super::{Bhs, Opcode, TargetNumbers};

/// Ready To Transfer (R2T). [RFC 7143 11.8]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadyToTransfer {
    /// The command's logical unit.
    pub lun: [u8; 8],
    /// The command's tag.
    pub initiator_task_tag: u32,
    /// To be copied into the Data-Out PDUs that answer.
    pub target_transfer_tag: u32,
    /// Sequence numbers; StatSN is the next one and does not advance.
    pub numbers: TargetNumbers,
    /// Number of the R2T in the command, from 0.
    pub r2t_sn: u32,
    /// First byte that is wanted.
    pub buffer_offset: u32,
    /// How many bytes are wanted, at least 1 and at most MaxBurstLength.
    pub desired_data_transfer_length: u32,
}

impl ReadyToTransfer {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            numbers: TargetNumbers::decode(bhs),
            r2t_sn: bhs.u32(36),
            buffer_offset: bhs.u32(40),
            desired_data_transfer_length: bhs.u32(44),
        }
    }

    /// The header; an R2T has no data.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::READY_TO_TRANSFER);
        bhs.put(1, &[0x80]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        self.numbers.encode(&mut bhs);
        bhs.put_u32(36, self.r2t_sn);
        bhs.put_u32(40, self.buffer_offset);
        bhs.put_u32(44, self.desired_data_transfer_length);
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
            "31800000 00000000 0001000000000000 00000001 00000002 00000003 00000004 00000005 00000006 00010000 00040000",
        );
        let pdu = ReadyToTransfer {
            lun: [0, 1, 0, 0, 0, 0, 0, 0],
            initiator_task_tag: 1,
            target_transfer_tag: 2,
            numbers: TargetNumbers { stat_sn: 3, exp_cmd_sn: 4, max_cmd_sn: 5 },
            r2t_sn: 6,
            buffer_offset: 0x10000,
            desired_data_transfer_length: 0x40000,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(ReadyToTransfer::decode(&bytes), pdu);
    }
}
