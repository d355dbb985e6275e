//! Task Management Function Response.

use super::{Bhs, Opcode, TargetNumbers};
use crate::code::codes;

codes! {
    /// Outcome of a task management function. [RFC 7143 11.6.1]
    TaskManagementOutcome {
        /// Function complete.
        FUNCTION_COMPLETE = 0,
        /// Task does not exist.
        TASK_DOES_NOT_EXIST = 1,
        /// LUN does not exist.
        LUN_DOES_NOT_EXIST = 2,
        /// Task is still allegiant to another connection.
        TASK_STILL_ALLEGIANT = 3,
        /// Task allegiance reassignment not supported.
        REASSIGNMENT_NOT_SUPPORTED = 4,
        /// Task management function not supported.
        FUNCTION_NOT_SUPPORTED = 5,
        /// Function authorization failed.
        AUTHORIZATION_FAILED = 6,
        /// Function rejected.
        FUNCTION_REJECTED = 255,
    }
}

/// Task Management Function Response. [RFC 7143 11.6]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskManagementResponse {
    /// Response.
    pub response: TaskManagementOutcome,
    /// Initiator task tag of the request.
    pub initiator_task_tag: u32,
    /// Sequence numbers.
    pub numbers: TargetNumbers,
}

impl TaskManagementResponse {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            response: TaskManagementOutcome(bhs.0[2]),
            initiator_task_tag: bhs.initiator_task_tag(),
            numbers: TargetNumbers::decode(bhs),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::TASK_MANAGEMENT_RESPONSE);
        bhs.put(1, &[0x80, self.response.0]);
        bhs.put_u32(16, self.initiator_task_tag);
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
        let bytes = golden("2280ff00 00000000 0000000000000000 00000021 0 00000001 00000002 00000003 0 0 0");
        let pdu = TaskManagementResponse {
            response: TaskManagementOutcome::FUNCTION_REJECTED,
            initiator_task_tag: 0x21,
            numbers: TargetNumbers { stat_sn: 1, exp_cmd_sn: 2, max_cmd_sn: 3 },
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(TaskManagementResponse::decode(&bytes), pdu);
    }
}
