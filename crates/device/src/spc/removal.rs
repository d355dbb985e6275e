//! Prevention of medium removal: in force while at least one nexus prevents. [SPC-5 6.18]

use std::collections::BTreeSet;

use capstan_scsi::sam::NexusId;

/// The nexuses that prevent medium removal.
#[derive(Debug, Default)]
pub struct RemovalPrevention {
    nexuses: BTreeSet<NexusId>,
}

impl RemovalPrevention {
    /// `nexus` prevents, or allows again what it prevented.
    pub fn set(&mut self, nexus: NexusId, prevent: bool) {
        if prevent {
            self.nexuses.insert(nexus);
        } else {
            self.nexuses.remove(&nexus);
        }
    }

    /// No nexus prevents any more.
    pub fn clear(&mut self) {
        self.nexuses.clear();
    }

    /// Some nexus prevents.
    #[must_use]
    pub fn is_prevented(&self) -> bool {
        !self.nexuses.is_empty()
    }
}
