//! Answers to commands: Data-In, SCSI Response, and the end of task management functions, in this order.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::connection::{Connection, Phase as ConnectionPhase};
use super::event::{Answer, TaskTag};
use super::task::{Phase, Task};
use super::transmit::Transmit;
use crate::pdu::{
    DataIn, RESERVED_TAG, Residual, ScsiResponse, ServiceResponse, TargetNumbers, TaskManagementOutcome,
    TaskManagementResponse,
};

/// Status GOOD, the only one that may end in a Data-In PDU here.
const GOOD: u8 = 0;

/// What is to be answered, first come first served, so that no command is answered after the function that ended it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Queued {
    Task(TaskTag),
    Managed { initiator_task_tag: u32, response: TaskManagementOutcome, numbered: bool },
}

impl Connection {
    /// A command ended. Nothing happens if it was aborted before.
    pub fn complete(&mut self, tag: TaskTag, answer: Answer) {
        let Some(task) = self.tasks.get(tag) else { return };
        if matches!(task.phase, Phase::Answering { .. }) || matches!(self.phase, ConnectionPhase::LoggedOut) {
            return;
        }
        let itt = task.command.initiator_task_tag;
        let awaits_data = task.awaits_data();
        task.phase = Phase::Answering { answer, sent: 0 };
        task.buffer = BytesMut::new();
        self.answers.push_back(Queued::Task(tag));
        if awaits_data {
            self.tasks.retire(itt);
        }
    }

    /// The next PDU of the answers.
    pub(super) fn next_answer(&mut self) -> Option<Transmit> {
        loop {
            match *self.answers.front()? {
                Queued::Managed { initiator_task_tag, response, numbered } => {
                    self.answers.pop_front();
                    if numbered {
                        self.order.release();
                    }
                    let numbers = self.numbers(true);
                    let pdu = TaskManagementResponse { response, initiator_task_tag, numbers };
                    return Some(self.transmit(pdu.encode(), Bytes::new()));
                }
                Queued::Task(tag) => match self.next_of(tag) {
                    Some(transmit) => return Some(transmit),
                    None => self.answers.pop_front(),
                },
            };
        }
    }

    /// The next PDU of the answer to a command; `None` if it was forgotten.
    fn next_of(&mut self, tag: TaskTag) -> Option<Transmit> {
        let chunk_limit = self.session.max_send_data_segment_length;
        let max_burst_length = self.session.parameters.max_burst_length;
        let task = self.tasks.get(tag)?;
        let Some(chunk) = next_chunk(task, chunk_limit, max_burst_length) else {
            return self.respond(tag);
        };
        let residual = residual(task);
        let mut pdu = DataIn {
            is_final: chunk.ends_sequence,
            acknowledge: false,
            status: chunk.with_status.then_some(GOOD),
            residual: if chunk.with_status { residual } else { Residual::None },
            lun: [0; 8],
            initiator_task_tag: task.command.initiator_task_tag,
            target_transfer_tag: RESERVED_TAG,
            numbers: TargetNumbers::default(),
            data_sn: task.data_pdus,
            buffer_offset: chunk.offset,
        };
        task.data_pdus += 1;
        self.statistics.data_in_bytes += u64::try_from(chunk.data.len()).unwrap_or(0);
        if chunk.with_status {
            self.answers.pop_front();
            self.forget(tag);
        }
        pdu.numbers = self.numbers(chunk.with_status);
        Some(self.transmit(pdu.encode(), chunk.data))
    }

    /// The SCSI Response that ends a command.
    fn respond(&mut self, tag: TaskTag) -> Option<Transmit> {
        let task = self.tasks.get(tag)?;
        let residual = residual(task);
        let Phase::Answering { answer, .. } = &mut task.phase else { return None };
        let sense = std::mem::take(&mut answer.sense);
        let mut pdu = ScsiResponse {
            residual,
            response: ServiceResponse::COMPLETED,
            status: answer.status,
            initiator_task_tag: task.command.initiator_task_tag,
            snack_tag: 0,
            numbers: TargetNumbers::default(),
            exp_data_sn: task.data_pdus,
        };
        self.answers.pop_front();
        self.forget(tag);
        pdu.numbers = self.numbers(true);
        Some(self.transmit(pdu.encode(), sense_segment(&sense)))
    }
}

/// One Data-In PDU.
struct Chunk {
    data: Bytes,
    offset: u32,
    ends_sequence: bool,
    with_status: bool,
}

/// The next piece of a command's Data-In: no longer than the initiator takes, and not across the end of a sequence.
fn next_chunk(task: &mut Task, limit: u32, max_burst_length: u32) -> Option<Chunk> {
    let data_in_limit = task.data_in_limit();
    let Phase::Answering { answer, sent } = &mut task.phase else { return None };
    let wanted = usize::try_from(data_in_limit).unwrap_or(usize::MAX);
    let total = answer.data_in.len().min(wanted);
    let offset = u32::try_from(*sent).ok()?;
    let left_of_burst = max_burst_length - offset % max_burst_length.max(1);
    let length = usize::try_from(limit.min(left_of_burst)).unwrap_or(usize::MAX).min(total.checked_sub(*sent)?);
    if length == 0 {
        return None;
    }
    let data = answer.data_in.slice(*sent..*sent + length);
    *sent += length;
    let is_last = *sent == total;
    let ends_burst = u32::try_from(length).is_ok_and(|length| length == left_of_burst);
    let with_status = is_last && answer.status == GOOD && answer.sense.is_empty();
    Some(Chunk { data, offset, ends_sequence: is_last || ends_burst, with_status })
}

/// The difference between what was announced and what the command moved. [RFC 7143 11.4.5]
///
/// A command that brought data where none was expected reports an overflow of all of it.
fn residual(task: &Task) -> Residual {
    let Phase::Answering { answer, .. } = &task.phase else { return Residual::None };
    let data_in = u64::try_from(answer.data_in.len()).unwrap_or(u64::MAX);
    let data_out = u64::from(answer.data_out_length);
    if task.refusal.is_some() {
        return Residual::of(task.command.expected_data_transfer_length, 0);
    }
    match (task.command.write, task.command.read) {
        (true, _) if task.data_out_expected() > 0 => Residual::of(task.data_out_expected(), data_out),
        (false, true) if task.data_in_limit() > 0 => Residual::of(task.data_in_limit(), data_in),
        _ => Residual::of(0, data_in.max(data_out)),
    }
}

/// Sense data after its 2-byte length. [RFC 7143 11.4.7]
fn sense_segment(sense: &[u8]) -> Bytes {
    let Ok(length) = u16::try_from(sense.len()) else { return Bytes::new() };
    if length == 0 {
        return Bytes::new();
    }
    let mut bytes = BytesMut::with_capacity(sense.len() + 2);
    bytes.put_u16(length);
    bytes.put_slice(sense);
    bytes.freeze()
}
