//! The target's end of one connection, which is also its session (MaxConnections is 1).
//!
//! [`Connection`] takes headers and tells where each data segment belongs, so that bytes leave the socket once and
//! into place; events go out by `poll_event`, PDUs by `poll_transmit`, and logical units answer through calls. CDBs
//! and LUNs are opaque: what to do with a command is the owner's business.
//!
//! **Memory.** A session holds at most (`command_window` + `immediate_limit`) x max(FirstBurstLength,
//! MaxRecvDataSegmentLength) of unsolicited data, `data_out_budget` of solicited and `data_in_budget` of answered
//! data (each may be exceeded by one command that alone is larger, at most `max_transfer_length`), one data segment
//! of control data beyond `CONTROL_BACKLOG`, [`TEXT_LIMIT`] twice, and the buffers that the pool keeps (4 MiB).
//!
//! **Error recovery level 0.** What breaks the protocol inside a command's data ends the connection after a Reject;
//! what is merely refused is rejected and the connection goes on.

mod answers;
mod buffers;
mod command;
mod config;
mod connection;
mod data_out;
mod error;
mod event;
mod keepalive;
mod login;
mod management;
mod order;
mod receive;
mod requests;
mod security;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod transmit;

pub use config::Config;
pub use connection::{Connection, Statistics};
pub use error::ProtocolError;
pub use event::{
    Answer, Command, Event, Identity, ManagementRequest, Refusal, SessionKind, TargetQuery, TargetRecord, TaskTag,
};
pub use receive::DataPlacement;
pub use security::Authentication;
pub use text::TEXT_LIMIT;
pub use transmit::Transmit;
