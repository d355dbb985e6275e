//! NOP-In: a ping from the target, or the answer to a NOP-Out.

use super::{Bhs, Opcode, TargetNumbers};

/// NOP-In. [RFC 7143 11.19]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NopIn {
    /// To be copied into the NOP-Out that answers, where the target asks for one.
    pub lun: [u8; 8],
    /// The NOP-Out's tag in an answer, else the reserved tag.
    pub initiator_task_tag: u32,
    /// Reserved tag: no answer is wanted.
    pub target_transfer_tag: u32,
    /// Sequence numbers; StatSN advances only in an answer.
    pub numbers: TargetNumbers,
}

impl NopIn {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            numbers: TargetNumbers::decode(bhs),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::NOP_IN);
        bhs.put(1, &[0x80]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        self.numbers.encode(&mut bhs);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("20800000 00000000 0000000000000000 ffffffff 00000007 00000041 00000042 00000061 0 0 0");
        let pdu = NopIn {
            lun: [0; 8],
            initiator_task_tag: 0xffff_ffff,
            target_transfer_tag: 7,
            numbers: TargetNumbers { stat_sn: 0x41, exp_cmd_sn: 0x42, max_cmd_sn: 0x61 },
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(NopIn::decode(&bytes), pdu);
    }
}
