//! Task management: functions and responses.

use super::{Lun, NexusId, TaskId};

/// A task management request. [SAM-5 7]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskManagement {
    /// Who asks.
    pub nexus: NexusId,
    /// Which logical unit; not meaningful for target resets.
    pub lun: Lun,
    /// What is asked.
    pub function: ManagementFunction,
    /// Names this request in the answer ([`super::TaskObserver::managed`]).
    pub tag: u64,
}

/// Task management functions. [SAM-5 7.1]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManagementFunction {
    /// Abort one task of the asking nexus.
    AbortTask(TaskId),
    /// Abort all tasks of the asking nexus.
    AbortTaskSet,
    /// Abort all tasks of all nexuses.
    ClearTaskSet,
    /// Abort all tasks and reset the logical unit.
    LogicalUnitReset,
    /// Reset every logical unit of the target.
    TargetReset,
}

/// Answers to a task management request. [SAM-5 7.1]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManagementResponse {
    /// Done; no aborted task will be answered after this.
    FunctionComplete,
    /// The task to abort is not there: it never came or is already answered.
    TaskDoesNotExist,
    /// No such logical unit.
    LunDoesNotExist,
    /// This device does not do that.
    NotSupported,
    /// Refused.
    Rejected,
}
