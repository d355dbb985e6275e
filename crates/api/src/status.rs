//! The whole at a glance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Drive;

/// The whole at a glance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the daemon.
    pub version: String,
    /// Name of the gateway.
    pub gateway: String,
    /// Where the daemon keeps everything.
    pub state_dir: String,
    /// Seconds since the daemon started.
    pub uptime_seconds: u64,
    /// Where hosts log in.
    pub portal: Portal,
    /// The targets that they find there.
    pub targets: Vec<Target>,
    /// The drives.
    pub drives: Vec<Drive>,
    /// The cartridges.
    pub tapes: Tapes,
    /// What waits for the tier: nothing in this version, which has none.
    pub upload_buffer: Area,
    /// What is on the local disk.
    pub cache: Area,
    /// Age of the oldest byte that is not in the tier yet; 0 when all is shipped, or there is no tier.
    pub oldest_unshipped_seconds: u64,
}

/// Where hosts log in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Portal {
    /// Address and port, one or more.
    pub addresses: Vec<String>,
    /// How many sessions there are.
    pub sessions: u64,
    /// How many there can be.
    pub max_sessions: u64,
}

/// A target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Its iSCSI name.
    pub name: String,
    /// What is behind it: `changer`, `drive:N`, or `library` for all of it.
    pub device: String,
}

/// The cartridges.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tapes {
    /// How many.
    pub total: u64,
    /// How many in each state.
    pub by_state: BTreeMap<String, u64>,
}

/// A part of the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Area {
    /// Bytes in use.
    pub used: u64,
    /// Bytes that there are.
    pub size: u64,
}

/// Done; there is nothing more to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Done {}
