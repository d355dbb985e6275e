//! The reservation of RESERVE(6) and RESERVE(10): the whole logical unit for one nexus. [SPC-2 5.5.1]

use capstan_scsi::sam::NexusId;

/// Who has reserved the logical unit.
#[derive(Debug, Default)]
pub struct Reservation {
    holder: Option<NexusId>,
}

impl Reservation {
    /// Reserves for `nexus`, again if it holds it already; false if another nexus does.
    #[must_use]
    pub fn reserve(&mut self, nexus: NexusId) -> bool {
        let free = !self.conflicts(nexus);
        if free {
            self.holder = Some(nexus);
        }
        free
    }

    /// Releases what `nexus` holds; nothing happens if it holds nothing. Returns whether it did. [SPC-2 7.16]
    pub fn release(&mut self, nexus: NexusId) -> bool {
        let held = self.holder == Some(nexus);
        if held {
            self.holder = None;
        }
        held
    }

    /// Releases it, whoever holds it.
    pub fn clear(&mut self) {
        self.holder = None;
    }

    /// Another nexus than `nexus` holds it.
    #[must_use]
    pub fn conflicts(&self, nexus: NexusId) -> bool {
        self.holder.is_some_and(|holder| holder != nexus)
    }

    /// Who holds it.
    #[must_use]
    pub fn holder(&self) -> Option<NexusId> {
        self.holder
    }
}
