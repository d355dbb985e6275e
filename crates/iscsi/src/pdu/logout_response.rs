//! Logout Response.

use super::{Bhs, Opcode, TargetNumbers};
use crate::code::codes;

codes! {
    /// Outcome of a logout. [RFC 7143 11.15.1]
    LogoutOutcome {
        /// Closed.
        CLOSED = 0,
        /// CID not found.
        CID_NOT_FOUND = 1,
        /// Connection recovery not supported.
        RECOVERY_NOT_SUPPORTED = 2,
        /// Cleanup failed.
        CLEANUP_FAILED = 3,
    }
}

/// Logout Response. [RFC 7143 11.15]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogoutResponse {
    /// Response.
    pub response: LogoutOutcome,
    /// Initiator task tag of the request.
    pub initiator_task_tag: u32,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
    /// Time2Wait: seconds to wait before a new login.
    pub time_2_wait: u16,
    /// Time2Retain: seconds until the tasks are gone.
    pub time_2_retain: u16,
}

impl LogoutResponse {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            response: LogoutOutcome(bhs.0[2]),
            initiator_task_tag: bhs.initiator_task_tag(),
            numbers: TargetNumbers::decode(bhs),
            time_2_wait: bhs.u16(40),
            time_2_retain: bhs.u16(42),
        }
    }

    /// The header; a Logout Response has no data.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::LOGOUT_RESPONSE);
        bhs.put(1, &[0x80, self.response.0]);
        bhs.put_u32(16, self.initiator_task_tag);
        self.numbers.encode(&mut bhs);
        bhs.put_u16(40, self.time_2_wait);
        bhs.put_u16(42, self.time_2_retain);
        bhs
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = golden("26800200 00000000 0000000000000000 00000001 0 00000002 00000003 00000004 0 00050006 0");
        let pdu = LogoutResponse {
            response: LogoutOutcome::RECOVERY_NOT_SUPPORTED,
            initiator_task_tag: 1,
            numbers: TargetNumbers { stat_sn: 2, exp_cmd_sn: 3, max_cmd_sn: 4 },
            time_2_wait: 5,
            time_2_retain: 6,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(LogoutResponse::decode(&bytes), pdu);
    }
}
