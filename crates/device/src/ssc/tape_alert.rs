//! TapeAlert flags: what a host should know of the drive's health. [SSC-5 annex A]

use std::collections::BTreeMap;

use capstan_scsi::sam::NexusId;

/// A TapeAlert flag by its number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TapeAlertFlag(pub u8);

impl TapeAlertFlag {
    /// Write warning: here, there is no room, in the upload buffer or on the disk, and a write was refused.
    ///
    /// No flag of the standard says so. Of those about writing this one is a mere warning: 4 speaks of data at risk,
    /// 6 of a faulty drive or cartridge.
    pub const WRITE_WARNING: Self = Self(2);
    /// Hard error: an unrecoverable read, write or positioning error.
    pub const HARD_ERROR: Self = Self(3);
    /// Read failure.
    pub const READ_FAILURE: Self = Self(5);
    /// Write failure.
    pub const WRITE_FAILURE: Self = Self(6);
    /// Loading failure.
    pub const LOADING_FAILURE: Self = Self(55);
    /// Unrecoverable unload failure.
    pub const UNRECOVERABLE_UNLOAD_FAILURE: Self = Self(56);

    /// Every flag that this drive can raise, for the VPD page.
    pub const SUPPORTED: [Self; 6] = [
        Self::WRITE_WARNING,
        Self::HARD_ERROR,
        Self::READ_FAILURE,
        Self::WRITE_FAILURE,
        Self::LOADING_FAILURE,
        Self::UNRECOVERABLE_UNLOAD_FAILURE,
    ];

    /// Its bit where flag 1 is the most significant of 64. [SSC-5 TapeAlert supported flags VPD page]
    pub(super) fn bit(self) -> u64 {
        (1_u64 << 63).checked_shr(u32::from(self.0).saturating_sub(1)).unwrap_or(0)
    }
}

/// The flags as each nexus sees them: raised for all, cleared for the one that reads the log page. [SSC-5 A.1.3]
#[derive(Debug, Default)]
pub struct TapeAlerts {
    pending: BTreeMap<NexusId, u64>,
    history: u64,
}

impl TapeAlerts {
    /// True if the flag was ever raised.
    #[must_use]
    pub fn was_raised(&self, flag: TapeAlertFlag) -> bool {
        self.history & flag.bit() != 0
    }

    pub(super) fn nexus_established(&mut self, nexus: NexusId) {
        self.pending.entry(nexus).or_insert(0);
    }

    /// Forgets nexuses that are not among `known`, which must be in ascending order.
    pub(super) fn retain(&mut self, known: impl Iterator<Item = NexusId>) {
        let mut known = known.peekable();
        self.pending.retain(|nexus, _| {
            while known.next_if(|other| other < nexus).is_some() {}
            known.peek() == Some(nexus)
        });
    }

    pub(super) fn raise(&mut self, flag: TapeAlertFlag) {
        self.history |= flag.bit();
        self.pending.values_mut().for_each(|flags| *flags |= flag.bit());
    }

    pub(super) fn raise_all(&mut self, flags: &[TapeAlertFlag]) {
        flags.iter().for_each(|flag| self.raise(*flag));
    }

    pub(super) fn is_set(&self, nexus: NexusId, flag: TapeAlertFlag) -> bool {
        self.pending.get(&nexus).is_some_and(|flags| flags & flag.bit() != 0)
    }

    pub(super) fn clear(&mut self, nexus: NexusId) {
        if let Some(flags) = self.pending.get_mut(&nexus) {
            *flags = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stay_until_the_nexus_reads_them() {
        let mut alerts = TapeAlerts::default();
        let [a, b] = [NexusId(1), NexusId(2)];
        alerts.nexus_established(a);
        alerts.nexus_established(b);
        alerts.raise(TapeAlertFlag::HARD_ERROR);
        alerts.clear(a);
        assert!(!alerts.is_set(a, TapeAlertFlag::HARD_ERROR));
        assert!(alerts.is_set(b, TapeAlertFlag::HARD_ERROR));
        assert!(alerts.was_raised(TapeAlertFlag::HARD_ERROR));
        alerts.retain([b, NexusId(3)].into_iter());
        assert_eq!(alerts.pending.keys().copied().collect::<Vec<_>>(), [b]);
    }

    #[test]
    fn flag_one_is_the_most_significant_bit() {
        assert_eq!(TapeAlertFlag(1).bit(), 1 << 63);
        assert_eq!(TapeAlertFlag(64).bit(), 1);
    }
}
