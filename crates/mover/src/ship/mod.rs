//! Shipping: a task for each cartridge that has something to ship, or may have it soon.

mod borrow;
mod delta;
mod errand;
mod gift;
mod settle;
mod tape;
mod under_way;
mod upload;
mod watch;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use capstan_media::CartridgeId;
use capstan_store::Store;
use capstan_tier::names::Names;
use capstan_tier::{Limits, Probe};
use tokio::sync::Semaphore;

use crate::claims::Claimant;
use crate::clock::unix_millis;
use crate::keeper::Keeper;
use crate::keys::Keys;
use crate::ledger::Writer;
use crate::link::Link;
use crate::notice::Listener;
use crate::room::Room;
use crate::versions::VersionRules;
use crate::view::TapeShipping;
pub(crate) use gift::Gifts;
pub(crate) use tape::{Ended, TapeTask};
pub(crate) use under_way::UnderWay;
use upload::Landed;

/// How shipping goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShippingRules {
    /// A segment that is being written is closed when its oldest byte is so old.
    pub close_after: Duration,
    /// Between two deltas of a cartridge.
    pub delta_every: Duration,
    /// Between two states of the library.
    pub library_every: Duration,
    /// Between two looks at a cartridge that is loaded.
    pub look_every: Duration,
    /// Objects on their way at the same time, at most.
    pub parallel: usize,
    /// After something that does not go away by itself.
    pub try_again: Duration,
    /// zstd level of objects.
    pub zstd: Option<i32>,
    /// Objects are read back before they count: the tier checks no checksums.
    pub read_back: bool,
    /// How cartridges that are not loaded are opened.
    pub cartridge: capstan_cartridge::Options,
    /// How long older versions of tapes are kept.
    pub versions: VersionRules,
}

impl Default for ShippingRules {
    fn default() -> Self {
        Self {
            close_after: Duration::from_secs(30),
            delta_every: Duration::from_secs(5),
            library_every: Duration::from_secs(3),
            look_every: Duration::from_secs(1),
            parallel: 6,
            try_again: Duration::from_secs(30),
            zstd: None,
            read_back: false,
            cartridge: capstan_cartridge::Options::default(),
            versions: VersionRules::default(),
        }
    }
}

/// What all tasks share.
#[derive(Debug)]
pub(crate) struct Dock {
    pub(crate) store: Store,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) link: Arc<Link>,
    pub(crate) names: Names,
    pub(crate) keys: Arc<Keys>,
    pub(crate) room: Room,
    pub(crate) writer: Writer,
    pub(crate) claimant: Claimant,
    pub(crate) listener: Listener,
    pub(crate) rules: ShippingRules,
    /// The proof may turn out to need more than was thought at the start.
    pub(crate) read_back: AtomicBool,
    /// The tier is known to be the right one.
    pub(crate) ready: AtomicBool,
    pub(crate) uploads: Arc<Semaphore>,
    /// Cartridges that begin at the same time.
    pub(crate) doors: Semaphore,
    pub(crate) under_way: UnderWay,
    /// Cartridges that another gateway goes on with.
    pub(crate) fenced: Mutex<HashSet<CartridgeId>>,
    /// Cartridges that an operator gives away, and those of them that are given.
    pub(crate) gifts: Gifts,
    pub(crate) board: Mutex<HashMap<CartridgeId, Posted>>,
    /// How it is found out what the tier does.
    pub(crate) probe: Option<Arc<dyn Probe>>,
    /// What an operator should know of the tier.
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) limits: Limits,
}

/// What a task last saw of its cartridge.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Posted {
    pub(crate) shipping: TapeShipping,
    pub(crate) oldest: Option<Instant>,
}

impl Dock {
    pub(crate) fn board(&self) -> MutexGuard<'_, HashMap<CartridgeId, Posted>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fenced(&self) -> MutexGuard<'_, HashSet<CartridgeId>> {
        self.fenced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is stored is read before it counts.
    pub(crate) fn reads_back(&self) -> bool {
        self.read_back.load(Ordering::Relaxed)
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the tier be used as fast as it may be at this time of the week, unless an operator has said otherwise.
    pub(crate) fn apply_limits(&self) {
        let rates = self.limits.at(unix_millis() / 1000);
        self.link.upload.follow(rates.upload);
        self.link.download.follow(rates.download);
    }

    /// Nothing keeps segments from going.
    pub(crate) fn may_ship(&self) -> bool {
        self.ready.load(Ordering::Acquire) && !*self.link.paused.borrow()
    }

    /// Bytes that are only here, and when the oldest of them came.
    pub(crate) fn unshipped(&self) -> (u64, Option<Instant>) {
        let board = self.board();
        let bytes = board.values().map(|posted| posted.shipping.unshipped_bytes).fold(0, u64::saturating_add);
        (bytes, board.values().filter_map(|posted| posted.oldest).min())
    }
}

/// Segments whose objects are there and that are in no delta yet.
pub(crate) type Arrived = BTreeMap<u64, Landed>;
