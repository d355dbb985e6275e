//! Both areas, watched: whether they can be written and read, and whether the arrays under them are whole.
//!
//! A disk that is gone may fail calls or let them hang for ever. So each area has a thread of its own that tries it, and
//! that nobody ever waits for; whoever looks sees what came out last, and how long the attempt under way has taken.

mod array;
mod condition;
mod probe;
mod sysfs;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use watch::Watch;

/// How areas are watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AreaRules {
    /// Between two attempts.
    pub every: Duration,
    /// An attempt that takes longer has failed.
    pub hangs_after: Duration,
    /// Where the kernel says what block devices there are.
    pub sysfs: PathBuf,
}

impl Default for AreaRules {
    fn default() -> Self {
        Self { every: Duration::from_secs(10), hangs_after: Duration::from_secs(30), sysfs: "/sys".into() }
    }
}
