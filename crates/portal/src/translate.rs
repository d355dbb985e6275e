//! Between the words of iSCSI and those of SCSI.

use bytes::Bytes;
use capstan_iscsi::pdu::{TaskAttribute, TaskManagementFunction, TaskManagementOutcome};
use capstan_iscsi::target::{Answer, Command, ManagementRequest, Refusal, TaskTag};
use capstan_scsi::sam::{
    Attribute, Cdb, Completion, DataOut, ManagementFunction, ManagementResponse, NexusId, Task, TaskId, TaskObserver,
};
use capstan_scsi::{Asc, CheckCondition, SenseKey};
use std::sync::Arc;

pub(crate) fn task_id(nexus: NexusId, TaskTag(tag): TaskTag) -> TaskId {
    TaskId { nexus, tag }
}

pub(crate) fn task(nexus: NexusId, command: Command, observer: Arc<dyn TaskObserver>) -> Task {
    Task {
        id: task_id(nexus, command.tag),
        attribute: attribute(command.attribute),
        cdb: Cdb(command.cdb),
        data_out: DataOut { expected: command.data_out_expected, received: command.data_out },
        data_in_limit: command.data_in_limit,
        observer,
    }
}

fn attribute(attribute: TaskAttribute) -> Attribute {
    match attribute {
        TaskAttribute::ORDERED => Attribute::Ordered,
        TaskAttribute::HEAD_OF_QUEUE => Attribute::HeadOfQueue,
        TaskAttribute::ACA => Attribute::Aca,
        _ => Attribute::Simple,
    }
}

pub(crate) fn answer(completion: Completion) -> Answer {
    Answer {
        status: completion.status.0,
        sense: completion.sense,
        data_in: completion.data_in,
        data_out_length: completion.data_out_length,
    }
}

/// A command that the portal refuses ends like one that the device refuses.
pub(crate) fn refusal(refusal: Refusal) -> Answer {
    let condition = match refusal {
        Refusal::LongCdb | Refusal::Bidirectional => {
            CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE)
        }
        Refusal::TooLong => CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_FIELD_IN_CDB),
    };
    answer(condition.into_completion(Bytes::new()))
}

/// What the logical units are asked; `None` for a function that none of them has.
pub(crate) fn function(nexus: NexusId, request: &ManagementRequest) -> Option<ManagementFunction> {
    Some(match request.function {
        TaskManagementFunction::ABORT_TASK => ManagementFunction::AbortTask(task_id(nexus, request.task?)),
        TaskManagementFunction::ABORT_TASK_SET => ManagementFunction::AbortTaskSet,
        TaskManagementFunction::CLEAR_TASK_SET => ManagementFunction::ClearTaskSet,
        TaskManagementFunction::LOGICAL_UNIT_RESET => ManagementFunction::LogicalUnitReset,
        TaskManagementFunction::TARGET_WARM_RESET | TaskManagementFunction::TARGET_COLD_RESET => {
            ManagementFunction::TargetReset
        }
        _ => return None,
    })
}

pub(crate) fn outcome(response: ManagementResponse) -> TaskManagementOutcome {
    match response {
        ManagementResponse::FunctionComplete => TaskManagementOutcome::FUNCTION_COMPLETE,
        ManagementResponse::TaskDoesNotExist => TaskManagementOutcome::TASK_DOES_NOT_EXIST,
        ManagementResponse::LunDoesNotExist => TaskManagementOutcome::LUN_DOES_NOT_EXIST,
        ManagementResponse::NotSupported => TaskManagementOutcome::FUNCTION_NOT_SUPPORTED,
        ManagementResponse::Rejected => TaskManagementOutcome::FUNCTION_REJECTED,
    }
}
