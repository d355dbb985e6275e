//! The whole at a glance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Drive, Tier};

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
    /// What waits for the tier.
    pub upload_buffer: Area,
    /// What is on the local disk.
    pub cache: Area,
    /// Bytes of segments that are not in the tier yet.
    pub unshipped_bytes: u64,
    /// How long the oldest of them has been waiting; 0 when all is shipped, or there is no tier.
    pub oldest_unshipped_seconds: u64,
    /// The tiers, in the order of the configuration.
    pub tiers: Vec<Tier>,
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
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Area {
    /// Where it is; empty where there is none.
    pub path: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that it may have.
    pub size: u64,
    /// Bytes that are free on its file system, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// Done; there is nothing more to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Done {}
