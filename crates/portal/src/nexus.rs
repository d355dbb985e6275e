//! Numbers for nexuses that stay the same when an initiator comes back.

use std::collections::HashMap;

use capstan_scsi::sam::{InitiatorPort, NexusId};

/// How many nexuses are remembered; beyond, the one that was used longest ago is forgotten.
const REMEMBERED: usize = 4096;

/// An initiator port and the target that it uses.
pub(crate) type NexusKey = (InitiatorPort, String);

/// The numbers that were given out.
#[derive(Debug, Default)]
pub(crate) struct NexusTable {
    known: HashMap<NexusKey, (NexusId, u64)>,
    last: u64,
    clock: u64,
}

impl NexusTable {
    /// The number of a nexus: the same as before if it is remembered. `in_use` says which may not be forgotten.
    pub(crate) fn number(&mut self, key: &NexusKey, in_use: impl Fn(&NexusKey) -> bool) -> NexusId {
        self.clock += 1;
        if let Some((nexus, used)) = self.known.get_mut(key) {
            *used = self.clock;
            return *nexus;
        }
        if self.known.len() >= REMEMBERED {
            let idle = self.known.iter().filter(|(key, _)| !in_use(key));
            if let Some(oldest) = idle.min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone()) {
                self.known.remove(&oldest);
            }
        }
        self.last += 1;
        let nexus = NexusId(self.last);
        self.known.insert(key.clone(), (nexus, self.clock));
        nexus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> NexusKey {
        (InitiatorPort { name: format!("iqn.{number}"), port: [0; 6] }, "target".to_owned())
    }

    #[test]
    fn numbers_stay_until_forgotten() {
        let mut table = NexusTable::default();
        let first = table.number(&key(0), |_| false);
        let second = table.number(&key(1), |_| false);
        assert_ne!(first, second);
        assert_eq!(table.number(&key(0), |_| false), first);
        for number in 2..REMEMBERED + 10 {
            table.number(&key(number), |key| key.0.name == "iqn.1");
        }
        assert_eq!(table.known.len(), REMEMBERED);
        assert_eq!(table.number(&key(1), |_| false), second);
        assert_ne!(table.number(&key(0), |_| false), first);
    }
}
