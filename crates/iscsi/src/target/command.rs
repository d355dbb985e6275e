//! A SCSI command from its header until a logical unit has it.

use super::connection::Connection;
use super::error::ProtocolError;
use super::event::{Command, Event, Refusal, TaskTag};
use super::requests::Ordered;
use super::task::{Phase, Task};
use crate::pdu::ahs::{AhsType, segments};
use crate::pdu::{Bhs, RESERVED_TAG, RejectReason, ScsiCommand};

impl Connection {
    /// Takes the header of a command; `None` where it is ignored or rejected, and its data not wanted.
    ///
    /// # Errors
    /// Data comes that was not agreed on.
    pub(super) fn begin_command(
        &mut self,
        bhs: Bhs,
        command: &ScsiCommand,
        ahs: &[u8],
    ) -> Result<Option<TaskTag>, ProtocolError> {
        let itt = command.initiator_task_tag;
        if !command.immediate && !self.order.admits(command.cmd_sn) {
            if self.tasks.by_itt(itt).is_none() {
                self.tasks.retire(itt);
            }
            return Ok(None);
        }
        let refusal = match self.refusal(command, ahs) {
            Ok(refusal) => refusal,
            Err(reason) => {
                self.reject_command(bhs, command, reason);
                return Ok(None);
            }
        };
        let unsolicited = self.unsolicited_limit(command, bhs.data_segment_length())?;
        let tag = self.tasks.name(itt);
        let buffer = match refusal {
            None => self.buffers.take(usize::try_from(unsolicited).unwrap_or(usize::MAX)),
            Some(_) => bytes::BytesMut::new(),
        };
        self.tasks.insert(Task {
            tag,
            command: *command,
            collected: 0,
            next_data_sn: 0,
            complete: false,
            refusal,
            buffer,
            unsolicited: bytes::Bytes::new(),
            phase: Phase::Received,
            data_pdus: 0,
            solicited: 0,
            doomed: None,
        });
        if !command.immediate {
            self.order.insert(command.cmd_sn, Ordered::Task(tag));
        }
        Ok(Some(tag))
    }

    /// The immediate data of a command is there.
    pub(super) fn command_received(&mut self, tag: TaskTag, length: u32) {
        let Some(task) = self.tasks.get(tag) else { return };
        if task.command.write {
            task.collected = length;
            self.statistics.data_out_bytes += u64::from(length);
        }
        if task.command.is_final || !task.command.write {
            self.complete_unsolicited(tag);
        }
    }

    /// All unsolicited data of a command is there.
    pub(super) fn complete_unsolicited(&mut self, tag: TaskTag) {
        let Some(task) = self.tasks.get(tag) else { return };
        task.complete = true;
        if task.command.immediate {
            self.run(tag);
        } else {
            self.deliver();
        }
    }

    /// Whether a command whose turn it is can go to its logical unit now; an aborted one is not in the way.
    pub(super) fn may_run(&mut self, tag: TaskTag) -> bool {
        let used = self.data_in_used;
        let budget = self.config.data_in_budget;
        self.tasks.get(tag).is_none_or(|task| {
            let limit = task.data_in_limit();
            task.complete && (limit == 0 || used == 0 || task.refusal.is_some() || limit <= budget.saturating_sub(used))
        })
    }

    /// Hands a command to its logical unit.
    pub(super) fn run(&mut self, tag: TaskTag) {
        let Some(task) = self.tasks.get(tag) else { return };
        task.phase = Phase::Running;
        if let Some(refusal) = task.refusal {
            self.events.push_back(Event::Refused { tag, refusal });
            return;
        }
        let data_in_limit = task.data_in_limit();
        let data_out = std::mem::take(&mut task.buffer).freeze();
        if task.collected < task.data_out_expected() {
            task.unsolicited = data_out.clone();
        }
        let command = Command {
            tag,
            lun: task.command.lun,
            attribute: task.command.attribute,
            cdb: task.command.cdb,
            data_out_expected: task.data_out_expected(),
            data_out,
            data_in_limit,
        };
        self.data_in_used = self.data_in_used.saturating_add(data_in_limit);
        self.statistics.commands += 1;
        self.events.push_back(Event::Command(command));
    }

    /// Takes a command out with all that it holds; another may have its place.
    pub(super) fn forget(&mut self, tag: TaskTag) {
        self.take_out(tag);
        self.go_on();
    }

    /// Takes a command out; the caller calls [`Self::go_on`] once all that are to go are out.
    pub(super) fn take_out(&mut self, tag: TaskTag) {
        let Some(task) = self.tasks.remove(tag) else { return };
        if !task.command.immediate {
            self.order.release();
        }
        if !matches!(task.phase, Phase::Received) && task.refusal.is_none() {
            self.data_in_used = self.data_in_used.saturating_sub(task.data_in_limit());
        }
        if task.solicited > 0 {
            self.data_out_used = self.data_out_used.saturating_sub(task.solicited);
        }
        self.awaiting_budget.retain(|waiting| *waiting != tag);
    }

    /// Gives what was freed to those that wait for it.
    pub(super) fn go_on(&mut self) {
        self.solicit_waiting();
        self.deliver();
    }

    /// Why the command cannot be run, or the reason to reject it at once.
    fn refusal(&mut self, command: &ScsiCommand, ahs: &[u8]) -> Result<Option<Refusal>, RejectReason> {
        if self.session.discovery {
            return Err(RejectReason::COMMAND_NOT_SUPPORTED);
        }
        if command.initiator_task_tag == RESERVED_TAG {
            return Err(RejectReason::INVALID_PDU_FIELD);
        }
        if self.tasks.by_itt(command.initiator_task_tag).is_some() {
            return Err(RejectReason::TASK_IN_PROGRESS);
        }
        let data_in = if command.read { command.expected_data_transfer_length } else { 0 };
        let over_budget =
            self.data_in_used > 0 && data_in > self.config.data_in_budget.saturating_sub(self.data_in_used);
        if command.immediate && (self.immediate_outstanding() >= self.config.immediate_limit || over_budget) {
            return Err(RejectReason::TOO_MANY_IMMEDIATE);
        }
        let mut refusal = None;
        for segment in segments(ahs) {
            match segment.map_err(|_| RejectReason::INVALID_PDU_FIELD)?.kind {
                AhsType::EXTENDED_CDB => refusal = Some(Refusal::LongCdb),
                AhsType::BIDIRECTIONAL_READ_LENGTH => refusal = Some(Refusal::Bidirectional),
                // An unknown segment may change what the command means.
                _ => return Err(RejectReason::INVALID_PDU_FIELD),
            }
        }
        if command.read && command.write {
            refusal = Some(Refusal::Bidirectional);
        }
        let transfers = command.read || command.write;
        if transfers && command.expected_data_transfer_length > self.config.max_transfer_length {
            refusal = refusal.or(Some(Refusal::TooLong));
        }
        Ok(refusal)
    }

    /// Immediate commands and functions that are not answered yet.
    pub(super) fn immediate_outstanding(&self) -> usize {
        self.tasks.immediate() + self.managing.len()
    }

    /// How much unsolicited data the command brings at most, with `immediate` bytes of it in its own PDU.
    fn unsolicited_limit(&self, command: &ScsiCommand, immediate: u32) -> Result<u32, ProtocolError> {
        if !command.write {
            return if immediate == 0 { Ok(0) } else { Err(ProtocolError::UnsolicitedData) };
        }
        let parameters = &self.session.parameters;
        if (immediate > 0 && !parameters.immediate_data) || (!command.is_final && parameters.initial_r2t) {
            return Err(ProtocolError::UnsolicitedData);
        }
        let end = parameters.first_burst_length.min(command.expected_data_transfer_length);
        if immediate > end {
            return Err(ProtocolError::TooMuchData { end });
        }
        Ok(if command.is_final { immediate } else { end })
    }

    /// Rejects a command whose number is used up by that. [RFC 7143 11.17.1]
    fn reject_command(&mut self, bhs: Bhs, command: &ScsiCommand, reason: RejectReason) {
        if self.tasks.by_itt(command.initiator_task_tag).is_none() {
            self.tasks.retire(command.initiator_task_tag);
        }
        self.reject(bhs, reason, !command.immediate);
        if !command.immediate {
            self.skip(command.cmd_sn);
        }
    }
}
