//! Room in the cache: what is evicted to make it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use capstan_media::CartridgeId;
use capstan_store::{CachedSegment, Store, WeakStore};

use crate::ledger::Ledger;

/// Sizes of the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheLimits {
    /// Bytes that it may have.
    pub size: u64,
    /// From so many on, segments are evicted.
    pub high_water: u64,
    /// Down to so many.
    pub low_water: u64,
    /// Bytes of its file system that are left free.
    pub free_floor: u64,
}

/// Makes room in the cache. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: WeakStore,
    limits: CacheLimits,
    /// One at a time.
    evicting: Mutex<()>,
}

impl Room {
    pub(crate) fn new(store: &Store, limits: CacheLimits) -> Self {
        Self(Arc::new(Shared { store: store.downgrade(), limits, evicting: Mutex::default() }))
    }

    pub(crate) fn limits(&self) -> CacheLimits {
        self.0.limits
    }

    /// Evicts from high water down to low water, and as long as too little is free. Blocks on the disk.
    pub(crate) fn keep(&self) {
        let Shared { store, limits, .. } = self.0.as_ref();
        let Some(store) = store.upgrade().ok().filter(Store::has_cache) else { return };
        let floor = self.missing_to_floor(&store);
        if store.cached() >= limits.high_water || floor > 0 {
            let down_to = if store.cached() >= limits.high_water { limits.low_water } else { u64::MAX };
            self.evict_to(&store, down_to.min(store.cached().saturating_sub(floor)));
        }
    }

    /// Whether so many bytes more fit into the cache, after some were evicted if need be. Blocks on the disk.
    pub(crate) fn make(&self, bytes: u64) -> bool {
        let Shared { store, limits, .. } = self.0.as_ref();
        let Ok(store) = store.upgrade() else { return false };
        if !store.has_cache() || bytes > limits.size {
            return false;
        }
        let fits = || store.cached().saturating_add(bytes) <= limits.size;
        if !fits() {
            self.evict_to(&store, limits.low_water.min(limits.size.saturating_sub(bytes)));
        }
        fits() && self.missing_to_floor(&store) == 0
    }

    /// Bytes of the cache that a cartridge can have: all but what is pinned of others. Blocks on the disk.
    pub(crate) fn of(&self, cartridge: CartridgeId) -> u64 {
        let Shared { store, limits, .. } = self.0.as_ref();
        let Ok(store) = store.upgrade() else { return 0 };
        let mut pinned: HashMap<CartridgeId, bool> = HashMap::from([(cartridge, false)]);
        let is_pinned = |other| store.look_at(other).and_then(|directory| directory.is_pinned()).unwrap_or(false);
        let others = store.coldest().into_iter().filter_map(|(segment, length)| {
            pinned.entry(segment.cartridge).or_insert_with(|| is_pinned(segment.cartridge)).then_some(length)
        });
        limits.size.saturating_sub(others.fold(0, u64::saturating_add))
    }

    /// Bytes that are missing to what is to be left free; none if the disk does not say.
    fn missing_to_floor(&self, store: &Store) -> u64 {
        let free = store.cache_free_space().unwrap_or(u64::MAX);
        self.0.limits.free_floor.saturating_sub(free)
    }

    fn evict_to(&self, store: &Store, down_to: u64) {
        let _one = self.0.evicting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: HashMap<CartridgeId, Option<HashSet<u64>>> = HashMap::new();
        for (segment, _) in store.coldest() {
            if store.cached() <= down_to {
                return;
            }
            let CachedSegment { cartridge, sequence } = segment;
            let evictable = known.entry(cartridge).or_insert_with(|| evictable(store, cartridge));
            if !evictable.as_ref().is_some_and(|evictable| evictable.contains(&sequence)) {
                continue;
            }
            let evicted = store.look_at(cartridge).and_then(|directory| directory.evict_segment(sequence));
            if let Err(error) = evicted {
                tracing::warn!(%error, "a segment is not evicted");
            }
        }
    }
}

/// The segments of a cartridge that are in the tier; `None` if it is pinned, or that cannot be known.
fn evictable(store: &Store, cartridge: CartridgeId) -> Option<HashSet<u64>> {
    let directory = store.look_at(cartridge).ok()?;
    if directory.is_pinned().unwrap_or(true) {
        return None;
    }
    let ledger = Ledger::read(&directory).inspect_err(|error| tracing::warn!(%error, "not evicted")).ok()?;
    Some(ledger.manifest?.rows.keys().copied().collect())
}
