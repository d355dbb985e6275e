//! What can be logged in to.

use std::fmt;
use std::sync::Arc;

use capstan_scsi::sam::{InitiatorPort, TaskRouter};

/// Decides whether an initiator may see and use a target.
pub type Access = Arc<dyn Fn(&InitiatorPort) -> bool + Send + Sync>;

/// An iSCSI target.
#[derive(Clone)]
pub struct Target {
    /// iSCSI name.
    pub name: String,
    /// Its logical units.
    pub router: Arc<dyn TaskRouter>,
    /// Who may use it; everyone if `None`.
    pub access: Option<Access>,
}

impl Target {
    /// A target for everyone.
    #[must_use]
    pub fn new(name: impl Into<String>, router: Arc<dyn TaskRouter>) -> Self {
        Self { name: name.into(), router, access: None }
    }

    pub(crate) fn allows(&self, initiator: &InitiatorPort) -> bool {
        self.access.as_ref().is_none_or(|access| access(initiator))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}
