//! The iSCSI target portal on tokio.
//!
//! [`start`] listens, and runs a task for each connection, in a thread of its own once a session with a target has
//! begun. A connection's task owns its socket and its
//! [`capstan_iscsi::target::Connection`]: it reads Data-Out straight into the command's buffer, gives commands to the
//! target's [`capstan_scsi::sam::TaskRouter`], takes answers from a queue that logical units fill from their own
//! threads, and writes many PDUs with one vectored write. It never waits for a logical unit or for another
//! connection, so a stuck drive or a slow reader holds up nobody else, and pings are always answered.
//!
//! **Who gets in.** [`Initiators`] says who may log in and with what proof, [`Target::access`] which targets one sees
//! and uses. Who has to prove something learns nothing about targets before. Wrong proofs are counted by host, and
//! connections that do not log in are bounded by host and in all, the oldest going first.
//!
//! **Memory of a session:** the bound of [`capstan_iscsi::target`], a read-ahead buffer of 8 KiB, up to 32 PDUs that
//! are being written, and one message for each step of a command, of which there are at most the command window.
#![forbid(unsafe_code)]

mod config;
mod connection;
mod guesses;
mod handle;
mod host;
mod initiators;
mod input;
mod listen;
mod login;
mod nexus;
mod observer;
mod output;
mod registry;
mod session;
mod target;
#[cfg(test)]
mod tests;
mod thread;
mod translate;

pub use config::PortalConfig;
pub use handle::{PortalHandle, SessionInfo};
pub use initiators::{Initiator, Initiators};
pub use listen::{PortalError, start};
pub use target::{Access, Target};
