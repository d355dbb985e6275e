//! Task Management Function Request.

use super::{Bhs, Opcode};
use crate::code::codes;

codes! {
    /// Task management function, 7 bits. [RFC 7143 11.5.1]
    TaskManagementFunction {
        /// Abort the task with the referenced task tag.
        ABORT_TASK = 1,
        /// Abort all tasks of this session on the logical unit.
        ABORT_TASK_SET = 2,
        /// Clear auto contingent allegiance.
        CLEAR_ACA = 3,
        /// Abort all tasks of all sessions on the logical unit.
        CLEAR_TASK_SET = 4,
        /// Reset the logical unit.
        LOGICAL_UNIT_RESET = 5,
        /// Reset all logical units of the target.
        TARGET_WARM_RESET = 6,
        /// The same, and drop all sessions.
        TARGET_COLD_RESET = 7,
        /// Move the task to this connection.
        TASK_REASSIGN = 8,
    }
}

/// Task Management Function Request. [RFC 7143 11.5]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskManagementRequest {
    /// I bit.
    pub immediate: bool,
    /// Function.
    pub function: TaskManagementFunction,
    /// Logical unit number.
    pub lun: [u8; 8],
    /// Initiator task tag of this request.
    pub initiator_task_tag: u32,
    /// Tag of the task to abort or reassign, else the reserved tag.
    pub referenced_task_tag: u32,
    /// CmdSN.
    pub cmd_sn: u32,
    /// ExpStatSN.
    pub exp_stat_sn: u32,
    /// CmdSN of the task to abort.
    pub ref_cmd_sn: u32,
    /// For TASK REASSIGN: the next expected DataSN or R2TSN.
    pub exp_data_sn: u32,
}

impl TaskManagementRequest {
    /// The fields of a header.
    #[must_use]
    pub fn decode(bhs: &Bhs) -> Self {
        Self {
            immediate: bhs.immediate(),
            function: TaskManagementFunction(bhs.0[1] & 0x7f),
            lun: bhs.lun(),
            initiator_task_tag: bhs.initiator_task_tag(),
            referenced_task_tag: bhs.u32(20),
            cmd_sn: bhs.u32(24),
            exp_stat_sn: bhs.u32(28),
            ref_cmd_sn: bhs.u32(32),
            exp_data_sn: bhs.u32(36),
        }
    }

    /// The header, without lengths.
    #[must_use]
    pub fn encode(&self) -> Bhs {
        let mut bhs = Bhs::new(Opcode::TASK_MANAGEMENT_REQUEST).with_immediate(self.immediate);
        bhs.put(1, &[0x80 | self.function.0 & 0x7f]);
        bhs.put(8, &self.lun);
        bhs.put_u32(16, self.initiator_task_tag);
        bhs.put_u32(20, self.referenced_task_tag);
        bhs.put_u32(24, self.cmd_sn);
        bhs.put_u32(28, self.exp_stat_sn);
        bhs.put_u32(32, self.ref_cmd_sn);
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
        let bytes = golden("42810000 00000000 0002000000000000 00000021 00000020 00000031 00000041 00000030 0 0 0");
        let pdu = TaskManagementRequest {
            immediate: true,
            function: TaskManagementFunction::ABORT_TASK,
            lun: [0, 2, 0, 0, 0, 0, 0, 0],
            initiator_task_tag: 0x21,
            referenced_task_tag: 0x20,
            cmd_sn: 0x31,
            exp_stat_sn: 0x41,
            ref_cmd_sn: 0x30,
            exp_data_sn: 0,
        };
        assert_eq!(pdu.encode(), bytes);
        assert_eq!(TaskManagementRequest::decode(&bytes), pdu);
    }
}
