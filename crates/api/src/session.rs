//! iSCSI sessions.

use serde::{Deserialize, Serialize};

/// A session between an initiator and a target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Names it to `session drop`.
    pub id: u64,
    /// The initiator's name.
    pub initiator: String,
    /// The initiator's address and port.
    pub address: String,
    /// The address and port that it reached.
    pub portal: String,
    /// The target's name; `None` for a discovery session.
    pub target: Option<String>,
    /// Seconds since the login.
    pub age_seconds: u64,
    /// SCSI commands.
    pub commands: u64,
    /// Bytes that the initiator wrote.
    pub write_bytes: u64,
    /// Bytes that the initiator read.
    pub read_bytes: u64,
}
