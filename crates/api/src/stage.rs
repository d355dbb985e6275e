//! Cartridges that are brought into the cache.

use serde::{Deserialize, Serialize};

use crate::{Job, Tape};

/// Asks that all of a cartridge be brought into the cache, or that it may be evicted again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageTape {
    /// `true`: stage it and never evict it; `false`: only let it be evicted again; left out: stage it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<bool>,
}

/// What was begun.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Staged {
    /// The cartridge as it is now.
    pub tape: Tape,
    /// The job that brings it in; `None` if it was only let go.
    pub job: Option<Job>,
}
