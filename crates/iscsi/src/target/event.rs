//! What a connection tells its owner, and what it is told.

use bytes::Bytes;

use crate::login::Isid;
use crate::pdu::{Opcode, RejectReason, TaskAttribute, TaskManagementFunction};

/// Names a command while it lives: never used twice on a connection before 2^32 commands went by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TaskTag(pub u64);

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Someone begins to log in. Answer with [`super::Connection::identified`].
    Identify(Identity),
    /// The initiator says that it can prove who it is. Answer with [`super::Connection::examine`].
    Proof {
        /// What it wants the target to answer in turn, as bytes: whoever gave out the same in another login is being
        /// used to compute its own answer.
        challenge: Option<Vec<u8>>,
    },
    /// The login is agreed on; the session may begin. Answer with [`super::Connection::establish`].
    Establish,
    /// A command with all of its unsolicited data, in the order of CmdSN.
    Command(Command),
    /// A command that cannot be run. Answer with [`super::Connection::complete`].
    Refused {
        /// The command.
        tag: TaskTag,
        /// Why.
        refusal: Refusal,
    },
    /// The data that [`super::Connection::need_data`] asked for.
    DataOut {
        /// The command.
        tag: TaskTag,
        /// Its logical unit.
        lun: [u8; 8],
        /// The bytes from `received` on.
        data: Bytes,
    },
    /// A task management function. Answer with [`super::Connection::managed`].
    Manage(ManagementRequest),
    /// Names and addresses of targets are wanted. Answer with [`super::Connection::send_targets`].
    SendTargets(TargetQuery),
    /// A PDU was rejected; for logs.
    Rejected {
        /// What it was.
        opcode: Opcode,
        /// Why.
        reason: RejectReason,
    },
    /// The initiator logged out: once all is transmitted the connection ends.
    LoggedOut,
}

/// Who logs in to what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// InitiatorName, 1 to 223 bytes.
    pub initiator_name: String,
    /// Initiator session identifier.
    pub isid: Isid,
    /// Target session identifying handle: not 0 where a connection is to join a session.
    pub tsih: u16,
    /// Connection identifier.
    pub cid: u16,
    /// What the session is for.
    pub kind: SessionKind,
}

/// What a session is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionKind {
    /// To find targets.
    Discovery,
    /// To use the target of this name.
    Normal(String),
}

/// A command that is ready to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name.
    pub tag: TaskTag,
    /// Logical unit number.
    pub lun: [u8; 8],
    /// Task attribute.
    pub attribute: TaskAttribute,
    /// CDB.
    pub cdb: [u8; 16],
    /// Bytes that the initiator is ready to send in all; 0 without the W bit.
    pub data_out_expected: u32,
    /// Bytes that came already, from offset 0.
    pub data_out: Bytes,
    /// Bytes that the initiator is ready to take; 0 without the R bit.
    pub data_in_limit: u32,
}

/// Why a command cannot be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Its CDB is longer than 16 bytes.
    LongCdb,
    /// It wants to send and receive.
    Bidirectional,
    /// It wants to transfer more than [`super::Config::max_transfer_length`].
    TooLong,
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// SCSI status.
    pub status: u8,
    /// Sense data.
    pub sense: Bytes,
    /// Data for the initiator; what exceeds its limit is cut and reported as overflow.
    pub data_in: Bytes,
    /// Bytes that the command wanted from the initiator.
    pub data_out_length: u32,
}

/// A task management function to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagementRequest {
    /// Names the request in the answer.
    pub tag: u64,
    /// Logical unit number; not meaningful for target resets.
    pub lun: [u8; 8],
    /// ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET WARM RESET or TARGET COLD RESET. The last
    /// closes all connections of all initiators with the target once it is answered. [RFC 7143 11.5.1]
    pub function: TaskManagementFunction,
    /// The command to abort, with ABORT TASK.
    pub task: Option<TaskTag>,
}

/// Which targets are asked for. [RFC 7143 C]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetQuery {
    /// All that the initiator may use.
    All,
    /// The one of this name.
    Named(String),
    /// The one that the session is with.
    Own,
}

/// A target and where it is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetRecord {
    /// TargetName.
    pub name: String,
    /// TargetAddress values: `host:port,group`.
    pub addresses: Vec<String>,
}
