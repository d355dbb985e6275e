//! A logical unit whose actor has panicked: it answers everything, and always the same.

use std::sync::Arc;

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{Completion, ManagementFunction, ManagementResponse, TaskId, TaskObserver};
use capstan_scsi::{CheckCondition, SenseKey};

use super::inbox::TaskInput;

/// Answers HARDWARE ERROR, INTERNAL TARGET FAILURE.
pub(crate) struct FailedUnit;

impl FailedUnit {
    /// Takes over from a unit that owes answers.
    pub(crate) fn new(owed: Vec<(TaskId, Arc<dyn TaskObserver>)>) -> Self {
        for (task, observer) in owed {
            observer.completed(task, failure());
        }
        Self
    }

    /// Answers what came from a transport.
    pub(crate) fn input(&self, input: TaskInput) {
        match input {
            TaskInput::Submit(task) => task.observer.completed(task.id, failure()),
            TaskInput::Manage(request, observer) => {
                let response = match request.function {
                    ManagementFunction::AbortTask(_) => ManagementResponse::TaskDoesNotExist,
                    _ => ManagementResponse::FunctionComplete,
                };
                observer.managed(request.tag, response);
            }
            TaskInput::Established(..) | TaskInput::Lost(_) | TaskInput::DataOut(..) => {}
        }
    }
}

fn failure() -> Completion {
    CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE).into_completion(Bytes::new())
}
