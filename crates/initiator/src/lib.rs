//! An iSCSI initiator on tokio, with calls for tapes and changers.
//!
//! [`Session`] logs in to a target and executes commands; a task of its own reads the connection, so the target's
//! pings are answered and several commands can run at once. [`Tape`] and [`Changer`] speak to one logical unit. The
//! demo, the conformance tests and the benchmark are its users; it does what RFC 7143 says at error recovery level 0
//! with one connection, and reports what the target does otherwise. Nothing is retried behind the caller's back.
#![forbid(unsafe_code)]

mod actor;
mod changer;
mod command;
mod connection;
mod device;
mod discovery;
mod error;
mod framing;
mod login;
mod pending;
mod sense;
mod session;
mod tape;

pub use capstan_iscsi::chap::{ChapError, Credentials, Secret};
pub use capstan_iscsi::login::{Isid, LoginStatus};
pub use capstan_iscsi::pdu::{RejectReason, Residual, ServiceResponse, TaskManagementOutcome};
pub use capstan_iscsi::text::{Digest, DigestPolicy, Parameters, Wishes};
pub use changer::{Changer, Slot};
pub use command::{Command, Direction, Outcome};
pub use device::{Device, DeviceError, Inquiry};
pub use discovery::{DiscoveredTarget, discover, discover_as};
pub use error::InitiatorError;
pub use login::Login;
pub use sense::Sense;
pub use session::{Management, Running, Session};
pub use tape::{BlockRead, SpaceKind, Tape, TapePosition, Written};
