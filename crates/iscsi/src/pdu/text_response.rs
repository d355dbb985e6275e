//! Text Response.

use super::bhs::flag;
use super::{Bhs, Opcode, TargetNumbers};

/// Text Response; `key=value` pairs are the data segment. [RFC 7143 11.11]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextResponse {
    /// F bit: the exchange is over.
    pub is_final: bool,
    /// C bit: the pairs go on in the next response.
    pub continues: bool,
    /// To be copied into a request that goes on.
    pub lun: [u8; 8],
    /// Initiator task tag of the request.
    pub initiator_task_tag: u32,
    /// To be copied into a request that goes on; reserved with the F bit.
    pub target_transfer_tag: u32,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
}

impl TextResponse {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            is_final: bhs.is_final(),
            continues: bhs.bit(1, 0x40),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            target_transfer_tag: bhs.u32(20),
            numbers: TargetNumbers::decode(bhs),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::TEXT_RESPONSE);
        bhs.put(1, &[flag(self.is_final, 0x80) | flag(self.continues, 0x40)]);
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
        let bytes = golden("24400000 00000200 0000000000000000 00000001 00000009 00000002 00000003 00000004 0 0 0");
        let pdu = TextResponse {
            is_final: false,
            continues: true,
            lun: [0; 8],
            initiator_task_tag: 1,
            target_transfer_tag: 9,
            numbers: TargetNumbers { stat_sn: 2, exp_cmd_sn: 3, max_cmd_sn: 4 },
        };
        assert_eq!(pdu.encode().with_data_segment_length(512), bytes);
        assert_eq!(TextResponse::decode(&bytes), pdu);
    }
}
