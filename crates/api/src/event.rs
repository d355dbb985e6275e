//! Events.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from 1 for each run of the daemon.
    pub sequence: u64,
    /// When, seconds since 1970 UTC.
    pub time: u64,
    /// How bad it is.
    pub severity: Severity,
    /// What happened: `docs/reference/events.md` lists the kinds.
    pub kind: String,
    /// The drive that it concerns.
    pub drive: Option<u16>,
    /// The cartridge that it concerns.
    pub barcode: Option<String>,
    /// For a person.
    pub text: String,
}

/// Events after the one that was named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Events {
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// What to ask for next.
    pub next: u64,
    /// How many there were before them that are not kept any more.
    pub missed: u64,
}

/// How bad an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Info,
    /// Somebody should look at it some time.
    Warning,
    /// Something was lost, or does not work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
