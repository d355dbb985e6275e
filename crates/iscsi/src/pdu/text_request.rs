//! Text Request.

use super::bhs::flag;
use super::{Bhs, Opcode};

/// Text Request; `key=value` pairs are the data segment. [RFC 7143 11.10]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextRequest {
    /// I bit.
    pub immediate: bool,
    /// F bit: the initiator has nothing more to say.
    pub is_final: bool,
    /// C bit: the pairs go on in the next request.
    pub continues: bool,
    /// Copied from the response that this goes on from, else zeros.
    pub lun: [u8; 8],
    /// Initiator task tag.
    pub initiator_task_tag: u32,
    /// Copied from the response that this goes on from; the reserved tag begins anew.
    pub target_transfer_tag: u32,
    /// CmdSN.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
}

impl TextRequest {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            immediate: bhs.immediate(),
            is_final: bhs.is_final(),
            continues: bhs.bit(1, 0x40),
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
        let mut bhs = Bhs::new(Opcode::TEXT_REQUEST).with_immediate(self.immediate);
        bhs.put(1, &[flag(self.is_final, 0x80) | flag(self.continues, 0x40)]);
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
        let bytes = golden("44800000 00000010 0000000000000000 00000001 ffffffff 00000002 00000003 0 0 0 0");
        let pdu = TextRequest {
            immediate: true,
            is_final: true,
            continues: false,
            lun: [0; 8],
            initiator_task_tag: 1,
            target_transfer_tag: 0xffff_ffff,
            cmd_sn: 2,
            exp_stat_sn: 3,
        };
        assert_eq!(pdu.encode().with_data_segment_length(16), bytes);
        assert_eq!(TextRequest::decode(&bytes), pdu);
    }
}
