//! SCSI Response.

use super::{Bhs, Opcode, Residual, TargetNumbers};
use crate::code::codes;

codes! {
    /// iSCSI service response. [RFC 7143 11.4.3]
    ServiceResponse {
        /// Command completed at target; the status is valid.
        COMPLETED = 0x00,
        /// Target failure; there is no status.
        TARGET_FAILURE = 0x01,
    }
}

/// SCSI Response; sense data with its 2-byte length is the data segment. [RFC 7143 11.4]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScsiResponse {
    /// Residual of a read or a write; the bidirectional read residual is not carried.
    pub residual: Residual,
    /// Response.
    pub response: ServiceResponse,
    /// SCSI status.
    pub status: u8,
    /// Initiator task tag.
    pub initiator_task_tag: u32,
    /// SNACK tag, 0 without error recovery.
    pub snack_tag: u32,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
    /// How many Data-In or R2T PDUs were sent for the command.
    pub exp_data_sn: u32,
}

impl ScsiResponse {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            residual: Residual::decode(bhs),
            response: ServiceResponse(bhs.0[2]),
            status: bhs.0[3],
            initiator_task_tag: bhs.initiator_task_tag(),
            snack_tag: bhs.u32(20),
            numbers: TargetNumbers::decode(bhs),
            exp_data_sn: bhs.u32(36),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::SCSI_RESPONSE);
        let residual = self.residual.encode(&mut bhs);
        bhs.put(1, &[0x80 | residual, self.response.0, self.status]);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.snack_tag);
        self.numbers.encode(&mut bhs);
        bhs.put_u32(36, self.exp_data_sn);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes =
            golden("21820002 00000014 0000000000000000 0000000a 0 0000000b 0000000c 0000002b 00000002 0 00000100");
        let pdu = ScsiResponse {
            residual: Residual::Underflow(256),
            response: ServiceResponse::COMPLETED,
            status: 2,
            initiator_task_tag: 10,
            snack_tag: 0,
            numbers: TargetNumbers { stat_sn: 11, exp_cmd_sn: 12, max_cmd_sn: 43 },
            exp_data_sn: 2,
        };
        assert_eq!(pdu.encode().with_data_segment_length(20), bytes);
        assert_eq!(ScsiResponse::decode(&bytes), pdu);
        let over = ScsiResponse { residual: Residual::Overflow(1), ..pdu };
        assert_eq!(over.encode().0[1], 0x84);
        assert_eq!(ScsiResponse::decode(&over.encode()), over);
    }
}
