//! A task on its way from a transport to a logical unit and back.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{InitiatorPort, Lun, ManagementResponse, NexusId, Status, TaskManagement};

/// Names a task while it lives: the transport's tag is unique among the tasks of a nexus.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskId {
    /// The nexus that sent it.
    pub nexus: NexusId,
    /// The transport's tag.
    pub tag: u64,
}

/// A command descriptor block of at most 16 bytes, zero-filled.
///
/// Transports refuse longer ones (no device here has a command of more than 16 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Cdb(pub [u8; 16]);

impl Cdb {
    /// Operation code.
    #[must_use]
    pub fn opcode(&self) -> u8 {
        self.0[0]
    }
}

impl fmt::Debug for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cdb(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Task attributes. Tape devices run every task in order of arrival, so only HEAD OF QUEUE differs. [SAM-5 8.6]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Attribute {
    /// In order (also untagged and ordered).
    #[default]
    Simple,
    /// Strictly in order.
    Ordered,
    /// Before waiting tasks.
    HeadOfQueue,
    /// Auto contingent allegiance: not supported.
    Aca,
}

/// What the initiator sends with a command.
#[derive(Clone, Debug, Default)]
pub struct DataOut {
    /// Bytes that the initiator is ready to send in all (iSCSI: the expected data transfer length of a write).
    pub expected: u32,
    /// Bytes that came without being asked for: immediate and unsolicited data, from offset 0. At most `expected`.
    pub received: Bytes,
}

/// A SCSI command with what is needed to run and answer it.
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// Its place in the queue.
    pub attribute: Attribute,
    /// The command.
    pub cdb: Cdb,
    /// Data from the initiator.
    pub data_out: DataOut,
    /// Bytes that the initiator is ready to receive (iSCSI: the expected data transfer length of a read). The device
    /// server need not look: the transport truncates and reports the residual.
    pub data_in_limit: u32,
    /// Who is told.
    pub observer: Arc<dyn TaskObserver>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id).field("cdb", &self.cdb).finish_non_exhaustive()
    }
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Status.
    pub status: Status,
    /// Fixed-format sense data (70h/71h), empty unless the status is CHECK CONDITION. [SPC-5 4.5.3]
    pub sense: Bytes,
    /// Data for the initiator, exactly what the command produced, already cut to its ALLOCATION LENGTH.
    pub data_in: Bytes,
    /// Bytes the command wanted from the initiator (its parameter list or transfer length): the transport reports
    /// the difference to what was offered as residual. 0 where the command failed before it wanted any.
    pub data_out_length: u32,
}

impl Completion {
    /// GOOD without data.
    #[must_use]
    pub fn good() -> Self {
        Self::good_with(Bytes::new())
    }

    /// GOOD with data for the initiator.
    #[must_use]
    pub fn good_with(data_in: Bytes) -> Self {
        Self { status: Status::GOOD, sense: Bytes::new(), data_in, data_out_length: 0 }
    }

    /// A status without sense data.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status, ..Self::good() }
    }
}

/// Told of the progress of tasks; implemented by the transport, one per connection.
///
/// Called from the logical unit's thread; must not block.
pub trait TaskObserver: Send + Sync {
    /// The command needs `length` bytes from the initiator in all, of which the first `received` are there already: all
    /// that came with it, or none, if the rest is to come in one piece with them.
    /// Answer with [`TaskRouter::data_out`]. Called at most once for a task, and never when what was received with
    /// the command is enough, or all that the initiator is ready to send.
    fn need_data(&self, task: TaskId, received: u32, length: u32);

    /// The command ended.
    fn completed(&self, task: TaskId, completion: Completion);

    /// A task management function ended.
    fn managed(&self, tag: u64, response: ManagementResponse);
}

/// A SCSI target device as a transport sees it: logical units that take tasks.
pub trait TaskRouter: Send + Sync {
    /// A nexus exists from now on. Called once before its first task, again after each [`TaskRouter::nexus_lost`].
    fn nexus_established(&self, nexus: NexusId, initiator: &InitiatorPort);

    /// A nexus is gone: its tasks are aborted unanswered, what it held (reservation, removal prevention) is released.
    fn nexus_lost(&self, nexus: NexusId);

    /// Queue a task for a logical unit. Does not block; a full queue is answered with TASK SET FULL.
    fn submit(&self, lun: Lun, task: Task);

    /// The data that [`TaskObserver::need_data`] asked for: the bytes from offset `received` on, fewer when the
    /// initiator offered fewer.
    fn data_out(&self, lun: Lun, task: TaskId, data: Bytes);

    /// Queue a task management function; it is answered through `observer`.
    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>);
}
