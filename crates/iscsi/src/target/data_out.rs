//! Data from the initiator: unsolicited bursts, R2Ts, and the Data-Out PDUs that answer them.

use std::collections::VecDeque;

use bytes::Bytes;

use super::connection::Connection;
use super::error::ProtocolError;
use super::event::{Event, TaskTag};
use super::task::{Burst, Phase, Solicit, Task};
use super::transmit::Urgent;
use crate::pdu::{Bhs, DataOut, RESERVED_TAG, ReadyToTransfer, RejectReason, TargetNumbers};

/// R2Ts of one command that are outstanding at most, whatever was agreed on.
const R2TS_MAX: usize = 16;

impl Connection {
    /// A logical unit needs `length` bytes of a command's data, of which it has `received`. It may have let go of what
    /// came with the command, to get all of it in one piece: `received` is 0 then.
    ///
    /// What the initiator does not offer is not asked for; [`Event::DataOut`] brings what there is.
    pub fn need_data(&mut self, tag: TaskTag, received: u32, length: u32) {
        let Some(task) = self.tasks.get(tag) else { return };
        if !matches!(task.phase, Phase::Running) {
            return;
        }
        let end = length.min(task.data_out_expected());
        let there = task.collected.min(end);
        let unsolicited = &task.unsolicited;
        let place = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX).min(unsolicited.len());
        let before = unsolicited.slice(place(received.min(there))..place(there));
        let (position, bursts) = (received.max(there), VecDeque::new());
        if position >= end {
            return self.hand_over(tag, before);
        }
        task.phase = Phase::Soliciting(Solicit { position, announced: position, end, before, bursts });
        self.awaiting_budget.push_back(tag);
        self.solicit_waiting();
    }

    /// Begins to solicit for commands that wait, as far as the budget goes.
    pub(super) fn solicit_waiting(&mut self) {
        while let Some(tag) = self.awaiting_budget.front().copied() {
            let room = self.config.data_out_budget.saturating_sub(self.data_out_used);
            let Some(task) = self.tasks.get(tag) else {
                self.awaiting_budget.pop_front();
                continue;
            };
            let Phase::Soliciting(solicit) = &mut task.phase else {
                self.awaiting_budget.pop_front();
                continue;
            };
            let length = solicit.end - solicit.position;
            if length > room && self.data_out_used > 0 {
                return;
            }
            let before = std::mem::take(&mut solicit.before);
            let whole = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(before.len());
            task.solicited = length;
            self.data_out_used = self.data_out_used.saturating_add(length);
            task.buffer = self.buffers.take(whole);
            task.buffer.extend_from_slice(&before);
            self.awaiting_budget.pop_front();
            self.solicit(tag);
        }
    }

    /// Sends R2Ts for the next bursts of a command, as many as may be outstanding.
    fn solicit(&mut self, tag: TaskTag) {
        let most = usize::try_from(self.session.parameters.max_outstanding_r2t).unwrap_or(usize::MAX);
        let max_burst_length = self.session.parameters.max_burst_length;
        loop {
            let target_transfer_tag = self.transfer_tag();
            let Some(task) = self.tasks.get(tag) else { return };
            let Phase::Soliciting(solicit) = &mut task.phase else { return };
            if solicit.announced >= solicit.end || solicit.bursts.len() >= most.min(R2TS_MAX) {
                return;
            }
            let buffer_offset = solicit.announced;
            let desired = (solicit.end - buffer_offset).min(max_burst_length);
            solicit.announced = buffer_offset + desired;
            solicit.bursts.push_back(Burst { target_transfer_tag, end: solicit.announced, next_data_sn: 0 });
            let pdu = ReadyToTransfer {
                lun: task.command.lun,
                initiator_task_tag: task.command.initiator_task_tag,
                target_transfer_tag,
                numbers: TargetNumbers::default(),
                r2t_sn: task.data_pdus,
                buffer_offset,
                desired_data_transfer_length: desired,
            };
            task.data_pdus += 1;
            self.queue(Urgent::ReadyToTransfer(pdu));
        }
    }

    /// Takes the header of a Data-Out PDU with `length` bytes; `None` where its data is not wanted.
    ///
    /// # Errors
    /// The data does not belong where it says.
    pub(super) fn begin_data_out(
        &mut self,
        bhs: Bhs,
        pdu: &DataOut,
        length: u32,
    ) -> Result<Option<TaskTag>, ProtocolError> {
        let first_burst_length = self.session.parameters.first_burst_length;
        let retired = self.tasks.is_retired(pdu.initiator_task_tag);
        let Some(task) = self.tasks.by_itt(pdu.initiator_task_tag) else {
            // Data of an aborted, ignored or refused command is still on its way; any other is a mistake.
            if !retired {
                self.reject(bhs, RejectReason::PROTOCOL_ERROR, false);
            }
            return Ok(None);
        };
        match &mut task.phase {
            Phase::Answering { .. } if retired => return Ok(None),
            Phase::Received if !task.complete => check_unsolicited(task, pdu, length, first_burst_length)?,
            // They are answered in the order of their R2Ts. [RFC 7143 13.19]
            Phase::Soliciting(Solicit { position, bursts, .. }) if let Some(burst) = bursts.front() => {
                check_burst(burst, *position, pdu, length)?;
            }
            _ if pdu.target_transfer_tag == RESERVED_TAG => return Err(ProtocolError::UnsolicitedData),
            _ => return Err(ProtocolError::TransferTag(pdu.target_transfer_tag)),
        }
        Ok(Some(task.tag))
    }

    /// The data of a Data-Out PDU is in its place.
    pub(super) fn data_out_received(&mut self, tag: TaskTag, bhs: &Bhs) {
        let pdu = DataOut::decode(bhs);
        let length = bhs.data_segment_length();
        let Some(task) = self.tasks.get(tag) else { return };
        self.statistics.data_out_bytes += u64::from(length);
        match &mut task.phase {
            Phase::Received => {
                task.collected += length;
                task.next_data_sn = task.next_data_sn.wrapping_add(1);
                if pdu.is_final {
                    self.complete_unsolicited(tag);
                }
            }
            Phase::Soliciting(solicit) => {
                solicit.position += length;
                if let Some(burst) = solicit.bursts.front_mut() {
                    burst.next_data_sn = burst.next_data_sn.wrapping_add(1);
                }
                if pdu.is_final {
                    solicit.bursts.pop_front();
                }
                if solicit.position >= solicit.end {
                    self.data_complete(tag);
                } else if pdu.is_final {
                    self.solicit(tag);
                }
            }
            Phase::Running | Phase::Answering { .. } => {}
        }
    }

    /// Hands over all that was solicited.
    fn data_complete(&mut self, tag: TaskTag) {
        let Some(task) = self.tasks.get(tag) else { return };
        let data = std::mem::take(&mut task.buffer).freeze();
        self.hand_over(tag, data);
    }

    fn hand_over(&mut self, tag: TaskTag, data: Bytes) {
        let Some(task) = self.tasks.get(tag) else { return };
        task.phase = Phase::Running;
        self.events.push_back(Event::DataOut { tag, lun: task.command.lun, data });
    }
}

/// A PDU of an unsolicited burst. [RFC 7143 4.2.5.2, 11.7]
fn check_unsolicited(task: &Task, pdu: &DataOut, length: u32, first_burst: u32) -> Result<(), ProtocolError> {
    if pdu.target_transfer_tag != RESERVED_TAG {
        return Err(ProtocolError::TransferTag(pdu.target_transfer_tag));
    }
    check_number(pdu, task.next_data_sn)?;
    check_place(pdu, length, task.collected, first_burst.min(task.data_out_expected()))
}

/// A PDU of the answer to an R2T. [RFC 7143 11.7, 11.8]
fn check_burst(burst: &Burst, position: u32, pdu: &DataOut, length: u32) -> Result<(), ProtocolError> {
    if pdu.target_transfer_tag != burst.target_transfer_tag {
        return Err(ProtocolError::TransferTag(pdu.target_transfer_tag));
    }
    check_number(pdu, burst.next_data_sn)?;
    check_place(pdu, length, position, burst.end)?;
    if pdu.is_final == (position + length == burst.end) { Ok(()) } else { Err(ProtocolError::BurstEnd) }
}

fn check_number(pdu: &DataOut, expected: u32) -> Result<(), ProtocolError> {
    if pdu.data_sn == expected {
        Ok(())
    } else {
        Err(ProtocolError::DataOutOfSequence { data_sn: pdu.data_sn, expected })
    }
}

/// Data goes to the next byte and not beyond `end`.
fn check_place(pdu: &DataOut, length: u32, expected: u32, end: u32) -> Result<(), ProtocolError> {
    if pdu.buffer_offset != expected {
        return Err(ProtocolError::DataOutOfPlace { offset: pdu.buffer_offset, expected });
    }
    if expected.checked_add(length).is_none_or(|last| last > end) {
        return Err(ProtocolError::TooMuchData { end });
    }
    Ok(())
}
