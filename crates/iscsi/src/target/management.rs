//! Task management functions. [RFC 7143 11.5]

use super::answers::Queued;
use super::connection::{Connection, Phase as ConnectionPhase};
use super::event::{Event, ManagementRequest, TaskTag};
use super::task::{Phase, Task};
use crate::pdu::{
    Bhs, RejectReason, TaskManagementFunction as Function, TaskManagementOutcome as Outcome, TaskManagementRequest,
};

/// A function that the logical units are working on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Managing {
    tag: u64,
    initiator_task_tag: u32,
    numbered: bool,
}

impl Connection {
    /// Carries out a function. `numbered`: the request took a CmdSN.
    pub(super) fn manage(&mut self, bhs: Bhs, pdu: &TaskManagementRequest, numbered: bool) {
        if self.session.discovery {
            return self.reject(bhs, RejectReason::COMMAND_NOT_SUPPORTED, numbered);
        }
        if !numbered && self.immediate_outstanding() >= self.config.immediate_limit {
            return self.reject(bhs, RejectReason::TOO_MANY_IMMEDIATE, numbered);
        }
        let itt = pdu.initiator_task_tag;
        if self.tasks.by_itt(itt).is_some() || self.managing.iter().any(|other| other.initiator_task_tag == itt) {
            return self.reject(bhs, RejectReason::TASK_IN_PROGRESS, numbered);
        }
        match pdu.function {
            Function::ABORT_TASK => self.abort_task(pdu, numbered),
            Function::ABORT_TASK_SET | Function::CLEAR_TASK_SET | Function::LOGICAL_UNIT_RESET => {
                self.abort_many(pdu, numbered, |task| task.command.lun == pdu.lun);
            }
            // After a cold reset the owner closes all connections of the target.
            Function::TARGET_WARM_RESET | Function::TARGET_COLD_RESET => self.abort_many(pdu, numbered, |_| true),
            Function::TASK_REASSIGN => self.answer_management(itt, Outcome::REASSIGNMENT_NOT_SUPPORTED, numbered),
            _ => self.answer_management(itt, Outcome::FUNCTION_NOT_SUPPORTED, numbered),
        }
    }

    /// A logical unit has done, or refused, a function.
    pub fn managed(&mut self, tag: u64, response: Outcome) {
        let Some(at) = self.managing.iter().position(|managing| managing.tag == tag) else { return };
        let managing = self.managing.swap_remove(at);
        for task in self.tasks_where(|task| task.doomed == Some(tag)) {
            if response == Outcome::FUNCTION_COMPLETE && self.tasks.get(task).is_some_and(|task| task.is_running()) {
                self.forget(task);
            } else if let Some(task) = self.tasks.get(task) {
                task.doomed = None;
            }
        }
        self.answer_management(managing.initiator_task_tag, response, managing.numbered);
    }

    fn abort_task(&mut self, pdu: &TaskManagementRequest, numbered: bool) {
        let itt = pdu.initiator_task_tag;
        let Some(task) = self.tasks.by_itt(pdu.referenced_task_tag) else {
            return self.abort_absent(pdu, numbered);
        };
        if task.command.lun != pdu.lun {
            // The task of that tag is another logical unit's. [RFC 7143 11.5.3]
            return self.answer_management(itt, Outcome::TASK_DOES_NOT_EXIST, numbered);
        }
        let tag = task.tag;
        match task.phase {
            Phase::Received => {
                self.forget(tag);
                self.answer_management(itt, Outcome::FUNCTION_COMPLETE, numbered);
            }
            Phase::Running | Phase::Soliciting(_) => {
                let lun = task.command.lun;
                self.begin_managing(pdu, lun, Some(tag), numbered);
            }
            // Its answer is on the way and comes first.
            Phase::Answering { .. } => self.answer_management(itt, Outcome::TASK_DOES_NOT_EXIST, numbered),
        }
    }

    /// A command that is not here: if its number is still free it was lost and will not be taken any more; else it
    /// was answered already. [RFC 7143 11.5.1]
    fn abort_absent(&mut self, pdu: &TaskManagementRequest, numbered: bool) {
        let before_this = pdu.cmd_sn.wrapping_sub(pdu.ref_cmd_sn) < 0x8000_0000 && pdu.cmd_sn != pdu.ref_cmd_sn;
        let response = if before_this && self.order.admits(pdu.ref_cmd_sn) {
            self.skip(pdu.ref_cmd_sn);
            self.order.release();
            Outcome::FUNCTION_COMPLETE
        } else {
            Outcome::TASK_DOES_NOT_EXIST
        };
        self.answer_management(pdu.initiator_task_tag, response, numbered);
    }

    /// Aborts what is here at once, and leaves the rest to the logical units. None of it may run because another that
    /// stood before it has gone: so nothing goes on until all are out.
    fn abort_many(&mut self, pdu: &TaskManagementRequest, numbered: bool, affected: impl Fn(&Task) -> bool) {
        for tag in self.tasks_where(|task| affected(task) && matches!(task.phase, Phase::Received)) {
            self.take_out(tag);
        }
        let management = self.begin_managing(pdu, pdu.lun, None, numbered);
        for task in self.tasks.iter_mut().filter(|task| affected(task) && task.is_running()) {
            task.doomed = Some(management);
        }
        self.go_on();
    }

    fn begin_managing(
        &mut self,
        pdu: &TaskManagementRequest,
        lun: [u8; 8],
        task: Option<TaskTag>,
        numbered: bool,
    ) -> u64 {
        let TaskTag(tag) = self.tasks.name(pdu.initiator_task_tag);
        if let Some(task) = task.and_then(|task| self.tasks.get(task)) {
            task.doomed = Some(tag);
        }
        self.managing.push(Managing { tag, initiator_task_tag: pdu.initiator_task_tag, numbered });
        self.events.push_back(Event::Manage(ManagementRequest { tag, lun, function: pdu.function, task }));
        tag
    }

    /// Answers after all commands that were answered before.
    fn answer_management(&mut self, initiator_task_tag: u32, response: Outcome, numbered: bool) {
        if matches!(self.phase, ConnectionPhase::LoggedOut) {
            return;
        }
        self.answers.push_back(Queued::Managed { initiator_task_tag, response, numbered });
    }

    fn tasks_where(&self, condition: impl Fn(&Task) -> bool) -> Vec<TaskTag> {
        self.tasks.iter().filter(|task| condition(task)).map(|task| task.tag).collect()
    }
}
