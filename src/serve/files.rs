//! How many files and sockets the daemon may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, warn};

/// Raises the soft limit to the hard one: many hosts and loaded cartridges need more than the usual 1,024.
pub(super) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => debug!(before = ?current, now = ?maximum, "files that can be open"),
        Err(error) => warn!(%error, limit = ?current, "the limit of open files cannot be raised"),
    }
}
