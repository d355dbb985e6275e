//! Unit attention conditions, one queue for each nexus. [SAM-5 5.14]

use std::collections::{BTreeMap, VecDeque};

use capstan_scsi::Asc;
use capstan_scsi::sam::NexusId;

/// Conditions that wait for one nexus at most, unless the device says otherwise; none is queued twice.
const QUEUE_LIMIT: usize = 8;
/// Nexuses remembered at most, lost ones included; more are remembered only while they exist.
const NEXUS_LIMIT: usize = 1024;

/// Unit attention conditions of all nexuses.
///
/// A nexus that is lost is remembered: when it comes back it finds what happened meanwhile, and no power-on
/// condition, which on newer Linux kernels ends a running backup although nothing was lost.
#[derive(Debug)]
pub struct UnitAttentions {
    nexuses: BTreeMap<NexusId, Pending>,
    /// Conditions that wait for one nexus at most.
    queue_limit: usize,
}

#[derive(Debug)]
struct Pending {
    queue: VecDeque<Asc>,
    present: bool,
}

impl Default for UnitAttentions {
    fn default() -> Self {
        Self { nexuses: BTreeMap::new(), queue_limit: QUEUE_LIMIT }
    }
}

impl UnitAttentions {
    /// At most one condition waits for each nexus: the first, after which an initiator looks at everything anew.
    ///
    /// For changers: mtx gives up barcodes as soon as READ ELEMENT STATUS ends with any sense data.
    #[must_use]
    pub fn one_at_a_time() -> Self {
        Self { queue_limit: 1, ..Self::default() }
    }

    /// A nexus exists. A new one gets POWER ON OCCURRED (29h/00h), once; a known one keeps what waits for it.
    pub fn nexus_established(&mut self, nexus: NexusId) {
        let power_on = Asc::POWER_ON_RESET_OR_BUS_DEVICE_RESET_OCCURRED;
        let new = || Pending { queue: VecDeque::from([power_on]), present: true };
        self.nexuses.entry(nexus).or_insert_with(new).present = true;
        if self.nexuses.len() > NEXUS_LIMIT {
            let lost = self.nexuses.iter().find(|(_, pending)| !pending.present).map(|(nexus, _)| *nexus);
            lost.and_then(|lost| self.nexuses.remove(&lost));
        }
    }

    /// A nexus is gone.
    pub fn nexus_lost(&mut self, nexus: NexusId) {
        if let Some(pending) = self.nexuses.get_mut(&nexus) {
            pending.present = false;
        }
    }

    /// A condition for one nexus.
    pub fn establish(&mut self, nexus: NexusId, asc: Asc) {
        if let Some(pending) = self.nexuses.get_mut(&nexus) {
            pending.add(asc, self.queue_limit);
        }
    }

    /// A condition for every nexus but `except`.
    pub fn establish_for_all(&mut self, asc: Asc, except: Option<NexusId>) {
        let told = self.nexuses.iter_mut().filter(|(nexus, _)| Some(**nexus) != except);
        told.for_each(|(_, pending)| pending.add(asc, self.queue_limit));
    }

    /// A reset: only this condition is left, for every nexus. [SAM-5 6.2: it takes precedence over all others]
    pub fn reset(&mut self, asc: Asc) {
        self.nexuses.values_mut().for_each(|pending| pending.queue = VecDeque::from([asc]));
    }

    /// The oldest condition that waits for `nexus`; it is reported and cleared.
    pub fn take(&mut self, nexus: NexusId) -> Option<Asc> {
        self.nexuses.get_mut(&nexus)?.queue.pop_front()
    }

    /// Nexuses that are remembered, in ascending order.
    pub fn known(&self) -> impl Iterator<Item = NexusId> {
        self.nexuses.keys().copied()
    }
}

impl Pending {
    fn add(&mut self, asc: Asc, limit: usize) {
        if self.queue.len() < limit && !self.queue.contains(&asc) {
            self.queue.push_back(asc);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NexusId = NexusId(1);
    const B: NexusId = NexusId(2);
    const CHANGED: Asc = Asc::NOT_READY_TO_READY_CHANGE;
    const POWER_ON: Asc = Asc::POWER_ON_RESET_OR_BUS_DEVICE_RESET_OCCURRED;

    #[test]
    fn one_power_on_then_conditions_in_order_and_never_twice() {
        let mut attentions = UnitAttentions::default();
        attentions.nexus_established(A);
        attentions.nexus_established(A);
        attentions.establish_for_all(CHANGED, None);
        attentions.establish_for_all(CHANGED, None);
        assert_eq!([attentions.take(A), attentions.take(A), attentions.take(A)], [Some(POWER_ON), Some(CHANGED), None]);
        assert_eq!(attentions.take(B), None);
    }

    #[test]
    fn a_nexus_that_comes_back_finds_what_happened_and_no_power_on() {
        let mut attentions = UnitAttentions::default();
        attentions.nexus_established(A);
        assert_eq!(attentions.take(A), Some(POWER_ON));
        attentions.nexus_lost(A);
        attentions.establish_for_all(CHANGED, None);
        attentions.nexus_established(A);
        assert_eq!([attentions.take(A), attentions.take(A)], [Some(CHANGED), None]);
    }

    #[test]
    fn reset_leaves_one_condition_and_exceptions_are_spared() {
        let mut attentions = UnitAttentions::default();
        attentions.nexus_established(A);
        attentions.nexus_established(B);
        attentions.reset(Asc::BUS_DEVICE_RESET_FUNCTION_OCCURRED);
        attentions.establish_for_all(Asc::MODE_PARAMETERS_CHANGED, Some(A));
        assert_eq!([attentions.take(A), attentions.take(A)], [Some(Asc::BUS_DEVICE_RESET_FUNCTION_OCCURRED), None]);
        attentions.take(B);
        assert_eq!(attentions.take(B), Some(Asc::MODE_PARAMETERS_CHANGED));
    }

    #[test]
    fn one_at_a_time_keeps_the_first_and_gives_way_to_a_reset() {
        let mut attentions = UnitAttentions::one_at_a_time();
        attentions.nexus_established(A);
        attentions.establish_for_all(CHANGED, None);
        assert_eq!([attentions.take(A), attentions.take(A)], [Some(POWER_ON), None]);
        attentions.establish(A, CHANGED);
        attentions.reset(Asc::BUS_DEVICE_RESET_FUNCTION_OCCURRED);
        assert_eq!([attentions.take(A), attentions.take(A)], [Some(Asc::BUS_DEVICE_RESET_FUNCTION_OCCURRED), None]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut attentions = UnitAttentions::default();
        for number in 0..5_000 {
            attentions.nexus_established(NexusId(number));
            (0..=255).for_each(|ascq| attentions.establish(NexusId(number), Asc { asc: 0x2a, ascq }));
            attentions.nexus_lost(NexusId(number));
        }
        assert!(attentions.nexuses.len() <= NEXUS_LIMIT);
        assert!(attentions.nexuses.values().all(|pending| pending.queue.len() <= QUEUE_LIMIT));
    }
}
