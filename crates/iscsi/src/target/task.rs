//! Commands of a session.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::event::{Answer, Refusal, TaskTag};
use crate::pdu::ScsiCommand;

/// A command from its header to its answer.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) tag: TaskTag,
    pub(super) command: ScsiCommand,
    /// Unsolicited data that came, bytes.
    pub(super) collected: u32,
    /// Number of the next unsolicited Data-Out.
    pub(super) next_data_sn: u32,
    /// All unsolicited data is there.
    pub(super) complete: bool,
    pub(super) refusal: Option<Refusal>,
    /// Where Data-Out goes: first the unsolicited, then the solicited.
    pub(super) buffer: BytesMut,
    /// The unsolicited data of a command that a logical unit has, if there is more to come.
    pub(super) unsolicited: Bytes,
    pub(super) phase: Phase,
    /// R2T or Data-In PDUs sent.
    pub(super) data_pdus: u32,
    /// Bytes counted in the data-out budget.
    pub(super) solicited: u32,
    /// The task management function that will end it.
    pub(super) doomed: Option<u64>,
}

/// How far a command is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Waits for unsolicited data, its turn, or the budget.
    Received,
    /// A logical unit has it.
    Running,
    /// The logical unit waits for data.
    Soliciting(Solicit),
    /// The logical unit answered.
    Answering {
        answer: Answer,
        /// Data-In sent, bytes.
        sent: usize,
    },
}

/// Data that a logical unit waits for.
#[derive(Debug)]
pub(super) struct Solicit {
    /// Offset of the next byte.
    pub(super) position: u32,
    /// Offset of the byte after the last that an R2T was sent for.
    pub(super) announced: u32,
    /// Offset of the byte after the last.
    pub(super) end: u32,
    /// What came unsolicited of what is asked for.
    pub(super) before: Bytes,
    /// The R2Ts that are out, in their order; none while the budget does not allow it.
    pub(super) bursts: VecDeque<Burst>,
}

/// The answer to one R2T.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burst {
    pub(super) target_transfer_tag: u32,
    /// Offset of the byte after its last.
    pub(super) end: u32,
    pub(super) next_data_sn: u32,
}

impl Task {
    /// Bytes that the initiator is ready to send.
    pub(super) fn data_out_expected(&self) -> u32 {
        if self.command.write { self.command.expected_data_transfer_length } else { 0 }
    }

    /// Bytes that the initiator is ready to take.
    pub(super) fn data_in_limit(&self) -> u32 {
        if self.command.read && !self.command.write { self.command.expected_data_transfer_length } else { 0 }
    }

    /// A logical unit has it.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Soliciting(_))
    }

    /// Data-Out may still come for it.
    pub(super) fn awaits_data(&self) -> bool {
        !self.complete || matches!(&self.phase, Phase::Soliciting(solicit) if !solicit.bursts.is_empty())
    }
}

/// How many ended commands are remembered whose data may still come.
const RETIRED: usize = 64;

/// The commands of a session: at most window + immediate limit, so that looking through them is cheap.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tasks: Vec<Task>,
    retired: VecDeque<u32>,
    serial: u32,
}

impl Tasks {
    /// A name for a command with this initiator task tag.
    pub(super) fn name(&mut self, initiator_task_tag: u32) -> TaskTag {
        self.serial = self.serial.wrapping_add(1);
        TaskTag(u64::from(self.serial) << 32 | u64::from(initiator_task_tag))
    }

    pub(super) fn insert(&mut self, task: Task) {
        self.retired.retain(|tag| *tag != task.command.initiator_task_tag);
        self.tasks.push(task);
    }

    pub(super) fn get(&mut self, tag: TaskTag) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.tag == tag)
    }

    pub(super) fn by_itt(&mut self, initiator_task_tag: u32) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.command.initiator_task_tag == initiator_task_tag)
    }

    /// Takes a command out. Data that still comes for it will be dropped without a word.
    pub(super) fn remove(&mut self, tag: TaskTag) -> Option<Task> {
        let at = self.tasks.iter().position(|task| task.tag == tag)?;
        let task = self.tasks.swap_remove(at);
        if task.awaits_data() {
            self.retire(task.command.initiator_task_tag);
        }
        Some(task)
    }

    /// Remembers a command that was not taken or has ended before its data came.
    pub(super) fn retire(&mut self, initiator_task_tag: u32) {
        if self.retired.len() >= RETIRED {
            self.retired.pop_front();
        }
        self.retired.push_back(initiator_task_tag);
    }

    pub(super) fn is_retired(&self, initiator_task_tag: u32) -> bool {
        self.retired.contains(&initiator_task_tag)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Task> {
        self.tasks.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Immediate commands among them.
    pub(super) fn immediate(&self) -> usize {
        self.tasks.iter().filter(|task| task.command.immediate).count()
    }
}
