//! NOP-Out: a ping, or the answer to a NOP-In.

use super::{Bhs, Opcode};

/// NOP-Out. [RFC 7143 11.18]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NopOut {
    /// I bit.
    pub immediate: bool,
    /// Copied from the NOP-In that this answers, else zeros.
    pub lun: [u8; 8],
    /// Reserved tag: no answer is wanted.
    pub initiator_task_tag: u32,
    /// The NOP-In's tag in an answer, else the reserved tag.
    pub target_transfer_tag: u32,
    /// CmdSN.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
}

impl NopOut {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            immediate: bhs.immediate(),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            cmd_sn: bhs.u32(24),
            exp_stat_sn: bhs.u32(28),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::NOP_OUT).with_immediate(self.immediate);
        bhs.put(1, &[0x80]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.target_transfer_tag);
        bhs.put_u32(24, self.cmd_sn);
        bhs.put_u32(28, self.exp_stat_sn);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("40800000 00000008 0001000000000000 00000011 ffffffff 00000022 00000033 0 0 0 0");
        let pdu = NopOut {
            immediate: true,
            lun: [0, 1, 0, 0, 0, 0, 0, 0],
            initiator_task_tag: 0x11,
            target_transfer_tag: 0xffff_ffff,
            cmd_sn: 0x22,
            exp_stat_sn: 0x33,
        };
        assert_eq!(pdu.encode().with_data_segment_length(8), bytes);
        assert_eq!(NopOut::decode(&bytes), pdu);
    }
}
