//! SNACK Request.

use super::{Bhs, Opcode};
use crate::code::codes;

codes! {
    /// What is asked for again, 4 bits. [RFC 7143 11.16.1]
    SnackType {
        /// Data-In or R2T PDUs.
        DATA_OR_R2T = 0,
        /// Status PDUs.
        STATUS = 1,
        /// Acknowledges Data-In PDUs.
        DATA_ACK = 2,
        /// Data-In PDUs, cut differently.
        R_DATA = 3,
    }
}

/// SNACK Request. [RFC 7143 11.16]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnackRequest {
    /// Type.
    pub kind: SnackType,
    /// Logical unit of a data acknowledgement, else zeros.
    pub lun: [u8; 8],
    /// The command's tag.
    pub initiator_task_tag: u32,
    /// Target transfer tag or SNACK tag.
    pub target_transfer_tag: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
    /// BegRun: first number that is missed.
    pub beg_run: u32,
    /// RunLength: how many are missed; 0 means all.
    pub run_length: u32,
}

impl SnackRequest {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            kind: SnackType(bhs.0[1] & 0x0f),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            exp_stat_sn: bhs.u32(28),
            beg_run: bhs.u32(40),
            run_length: bhs.u32(44),
        }
    }

    /// The header; a SNACK has no data.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::SNACK_REQUEST);
        bhs.put(1, &[0x80 | self.kind.0 & 0x0f]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        bhs.put_u32(28, self.exp_stat_sn);
        bhs.put_u32(40, self.beg_run);
        bhs.put_u32(44, self.run_length);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("10810000 00000000 0000000000000000 ffffffff ffffffff 0 00000003 0 0 00000004 00000005");
        let pdu = SnackRequest {
            kind: SnackType::STATUS,
            lun: [0; 8],
            initiator_task_tag: 0xffff_ffff,
            target_transfer_tag: 0xffff_ffff,
            exp_stat_sn: 3,
            beg_run: 4,
            run_length: 5,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(SnackRequest::decode(&bytes), pdu);
    }
}
