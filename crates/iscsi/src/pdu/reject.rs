//! Reject.

use super::{Bhs, Opcode, RESERVED_TAG, TargetNumbers};
use crate::code::codes;

codes! {
    /// Why a PDU was not taken. [RFC 7143 11.17.1]
    RejectReason {
        /// Data digest error.
        DATA_DIGEST_ERROR = 0x02,
        /// SNACK refused.
        SNACK_REJECT = 0x03,
        /// Protocol error.
        PROTOCOL_ERROR = 0x04,
        /// Command not supported.
        COMMAND_NOT_SUPPORTED = 0x05,
        /// Too many immediate commands.
        TOO_MANY_IMMEDIATE = 0x06,
        /// Task in progress.
        TASK_IN_PROGRESS = 0x07,
        /// Invalid data acknowledgement.
        INVALID_DATA_ACK = 0x08,
        /// Invalid PDU field.
        INVALID_PDU_FIELD = 0x09,
        /// Long operation refused: out of resources.
        LONG_OPERATION = 0x0a,
        /// Negotiation reset (obsolete).
        NEGOTIATION_RESET = 0x0b,
        /// Waiting for a logout.
        WAITING_FOR_LOGOUT = 0x0c,
    }
}

/// Reject; the header of the refused PDU is the data segment. [RFC 7143 11.17]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reject {
    /// Reason.
    pub reason: RejectReason,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
    /// DataSN or R2TSN of a refused data acknowledgement, else 0.
    pub data_sn: u32,
}

impl Reject {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self { reason: RejectReason(bhs.0[2]), numbers: TargetNumbers::decode(bhs), data_sn: bhs.u32(36) }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::REJECT);
        bhs.put(1, &[0x80, self.reason.0]);
        bhs.put_u32(16, RESERVED_TAG);
        self.numbers.encode(&mut bhs);
        bhs.put_u32(36, self.data_sn);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("3f800400 00000030 0000000000000000 ffffffff 0 00000002 00000003 00000004 0 0 0");
        let pdu = Reject {
            reason: RejectReason::PROTOCOL_ERROR,
            numbers: TargetNumbers { stat_sn: 2, exp_cmd_sn: 3, max_cmd_sn: 4 },
            data_sn: 0,
        };
        assert_eq!(pdu.encode().with_data_segment_length(48), bytes);
        assert_eq!(Reject::decode(&bytes), pdu);
    }
}
