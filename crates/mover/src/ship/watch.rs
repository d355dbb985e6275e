//! What of a cartridge is only here: how much, and since when.

use std::collections::BTreeMap;
use std::time::Instant;

use capstan_cartridge::Unshipped;

use super::Arrived;

/// The segments that were seen to be only here.
#[derive(Default, Debug)]
pub(super) struct Watch {
    seen: BTreeMap<u64, Seen>,
    /// What was known before the first look.
    before: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    since: Instant,
    bytes: u64,
}

impl Watch {
    /// Goes on where another one has ended.
    pub(super) fn new(before: Option<Instant>) -> Self {
        Self { seen: BTreeMap::new(), before }
    }

    /// Those of them whose length is not known yet.
    pub(super) fn unknown(&self, unshipped: &[Unshipped]) -> Vec<u64> {
        unshipped.iter().map(|it| it.sequence).filter(|sequence| !self.seen.contains_key(sequence)).collect()
    }

    /// What the cartridge says now, with the lengths of those that were unknown. What has arrived in the tier counts
    /// until a delta says so.
    pub(super) fn look(
        &mut self,
        unshipped: &[Unshipped],
        arrived: &Arrived,
        lengths: &BTreeMap<u64, u64>,
        oldest: Option<Instant>,
    ) {
        let is_here = |sequence: u64| unshipped.iter().any(|it| it.sequence == sequence);
        self.seen.retain(|sequence, _| is_here(*sequence) || arrived.contains_key(sequence));
        let since = [self.before.take(), oldest].into_iter().flatten().min().unwrap_or_else(Instant::now);
        for (sequence, bytes) in lengths {
            self.seen.entry(*sequence).or_insert(Seen { since, bytes: *bytes });
        }
    }

    /// Bytes that are only here.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.values().map(|seen| seen.bytes).fold(0, u64::saturating_add)
    }

    /// When the oldest of them came, as far as is known.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.seen.values().map(|seen| seen.since).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use capstan_format::Point;

    use super::*;

    #[test]
    fn age_and_bytes_are_those_of_what_is_only_here() {
        let began = Instant::now();
        let at = |seconds| began.checked_add(Duration::from_secs(seconds)).unwrap();
        let all = [1, 2, 3].map(|sequence| Unshipped { sequence, end: Point::default() });
        let mut watch = Watch::new(Some(began));
        assert_eq!(watch.unknown(&all[..1]), [1]);
        watch.look(&all[..1], &Arrived::new(), &BTreeMap::from([(1, 10)]), Some(at(5)));
        assert_eq!((watch.bytes(), watch.oldest()), (10, Some(began)), "it was there before");
        // The cartridge was loaded anew: it knows nothing of the first.
        assert_eq!(watch.unknown(&all), [2, 3]);
        watch.look(&all, &Arrived::new(), &BTreeMap::from([(2, 20), (3, 30)]), Some(at(9)));
        assert_eq!((watch.bytes(), watch.oldest()), (60, Some(began)));
        watch.look(&all[1..], &Arrived::new(), &BTreeMap::new(), Some(at(9)));
        assert_eq!((watch.bytes(), watch.oldest()), (50, Some(at(9))));
        watch.look(&[], &Arrived::new(), &BTreeMap::new(), None);
        assert_eq!((watch.bytes(), watch.oldest()), (0, None));
    }
}
