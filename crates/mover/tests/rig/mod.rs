//! A library of one drive, a tier in memory, and a mover that does not take its time.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_cartridge::{Cartridge, NewCartridge, Options};
use capstan_disk::RealDisk;
use capstan_format::manifest::{Delta, Manifest};
use capstan_media::{
    Barcode, CartridgeId, GatewayId, LocateTarget, LogicalObjectId, MediumDone, MediumOp, MediumResult, Partition,
    ReadRequest,
};
use capstan_mover::{
    AreaRules, CacheLimits, Keeper, LibraryImages, Listener, Mover, MoverOptions, Notice, NoticeKind, Operations,
    Patience, Scrubbed, ShippingRules, TierSetup, TierState, Work,
};
use capstan_store::{Store, StoreError};
use capstan_tier::names::{Names, SegmentName, TapeName};
use capstan_tier::sim::Request;
use capstan_tier::{Limits, MemoryTier, RetryPolicy, Tier, Verb, WrappingKey};

pub const ID: CartridgeId = CartridgeId([0x5a; 16]);
pub const GATEWAY: GatewayId = GatewayId([0x11; 16]);
pub const BLOCK: usize = 1000;

/// A drive that has at most one cartridge.
#[derive(Clone, Debug, Default)]
pub struct Drive(pub Arc<Mutex<Option<Cartridge>>>);

impl Drive {
    pub fn perform(&self, op: MediumOp) -> MediumResult {
        self.0.lock().unwrap().as_mut().unwrap().perform(op)
    }
}

impl Keeper for Drive {
    fn lend(&self, id: CartridgeId, work: Work) -> Result<(), Work> {
        // Who asks never waits: a drive that is at work is asked again.
        let Ok(mut drive) = self.0.try_lock() else { return Err(work) };
        match drive.as_mut() {
            Some(cartridge) if cartridge.facts().id == id => {
                work(cartridge);
                Ok(())
            }
            _ => Err(work),
        }
    }
}

/// Everything that outlives a mover.
pub struct Rig {
    pub root: tempfile::TempDir,
    pub tier: MemoryTier,
    /// The tier, if it is another.
    pub object: Option<Arc<dyn Tier>>,
    pub rules: ShippingRules,
    pub cache: CacheLimits,
    pub areas: AreaRules,
    pub wrapping_key: Option<WrappingKey>,
    pub gateway: GatewayId,
    pub library: Option<LibraryImages>,
    pub name: String,
    pub answer: Duration,
    /// How long a read waits for the tier.
    pub recall_budget: Duration,
    pub notices: Arc<Mutex<Vec<Notice>>>,
}

/// A library that runs.
pub struct Running {
    pub store: Store,
    pub drive: Drive,
    pub mover: Mover,
    pub operations: Arc<dyn Operations>,
    pub options: Options,
}

pub fn small() -> Options {
    Options { segment_size: 8000, unsynced_segments: 2, ..Options::default() }
}

/// How much of the long form of a test to run: 1 unless `CAPSTAN_SOAK` says more.
pub fn soak() -> u64 {
    std::env::var("CAPSTAN_SOAK").map_or(1, |times| times.parse().unwrap())
}

pub fn read() -> MediumOp {
    MediumOp::Read(ReadRequest { block_length: u32::try_from(BLOCK).unwrap(), count: 1 })
}

pub fn block(number: u64) -> Bytes {
    let words = (0_u64..).map(|word| (number << 32 | word).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(u64::to_le_bytes).take(BLOCK).collect::<Vec<u8>>().into()
}

/// In memory where there is such a place: it is not the disk that is tested here.
fn memory_directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Rig {
    pub fn new() -> Self {
        let rules = ShippingRules {
            close_after: Duration::from_millis(20),
            delta_every: Duration::from_millis(5),
            library_every: Duration::from_millis(5),
            look_every: Duration::from_millis(5),
            try_again: Duration::from_millis(20),
            parallel: 3,
            cartridge: small(),
            ..ShippingRules::default()
        };
        Self {
            root: memory_directory(),
            tier: MemoryTier::new("memory"),
            object: None,
            rules,
            cache: CacheLimits { size: 1 << 30, high_water: 1 << 29, low_water: 1 << 28, free_floor: 0 },
            areas: AreaRules::default(),
            wrapping_key: None,
            gateway: GATEWAY,
            library: None,
            name: "gw".to_owned(),
            answer: Duration::from_secs(5),
            recall_budget: Duration::from_secs(20),
            notices: Arc::default(),
        }
    }

    pub fn cache_path(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    pub fn store(&self) -> Store {
        // A thread that keeps what was recalled may have the one before for a moment longer.
        let began = Instant::now();
        let store = loop {
            match Store::open(&self.root.path().join("buffer"), Arc::new(RealDisk)) {
                Err(StoreError::Locked(_)) if began.elapsed() < Duration::from_secs(30) => std::thread::yield_now(),
                opened => break opened.unwrap(),
            }
        };
        store.open_cache(&self.cache_path()).unwrap();
        store
    }

    pub fn options(&self, store: &Store, drive: &Drive) -> MoverOptions {
        let quick = RetryPolicy {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(20),
            attempts: u32::MAX,
            budget: Duration::from_secs(20),
        };
        let notices = Arc::clone(&self.notices);
        MoverOptions {
            store: store.clone(),
            keeper: Arc::new(drive.clone()),
            setup: TierSetup {
                tier: self.object.clone().unwrap_or_else(|| Arc::new(self.tier.clone())),
                names: Names::default(),
                kind: "memory".to_owned(),
                place: "here".to_owned(),
                wrapping_key: self.wrapping_key.clone(),
                key_file: None,
                found: None,
                probe: None,
                limits: Limits::default(),
            },
            library: self.library.clone(),
            gateway: self.gateway,
            gateway_name: self.name.clone(),
            state_dir: self.root.path().join("mover"),
            disk: Arc::new(RealDisk),
            buffer_size: 1 << 30,
            cache: self.cache,
            areas: self.areas.clone(),
            rules: self.rules,
            patience: Patience {
                shipping: RetryPolicy { budget: Duration::MAX, ..quick },
                recall: RetryPolicy { budget: self.recall_budget, ..quick },
                answer: self.answer,
            },
            listener: Listener::new(move |notice| notices.lock().unwrap().push(notice)),
        }
    }

    pub fn start(&self) -> Running {
        let (store, drive) = (self.store(), Drive::default());
        let mover = Mover::start(self.options(&store, &drive)).unwrap();
        Running { operations: mover.operations(), store, drive, mover, options: self.rules.cartridge }
    }

    /// A library with one blank cartridge, in its drive.
    pub fn start_loaded(&self) -> Running {
        let running = self.start();
        running.create();
        running.load();
        running
    }

    pub fn tape(&self) -> TapeName {
        TapeName { barcode: Barcode::new("CAP001L8").unwrap(), cartridge: ID }
    }

    /// The manifest as a reader of the tier finds it, from its last checkpoint on.
    pub fn manifest(&self) -> Manifest {
        let prefix = Names::default().manifest(&self.tape());
        let objects = self.tier.objects();
        let deltas: Vec<Delta> = objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(_, bytes)| Delta::decode(bytes).unwrap())
            .collect();
        for (number, delta) in (0..).zip(&deltas) {
            assert_eq!(delta.number, number, "no gap");
        }
        let begin = Manifest::checkpoint_before(deltas.last().unwrap().number);
        let mut deltas = deltas.into_iter().skip(usize::try_from(begin).unwrap());
        let mut manifest = Manifest::begin(deltas.next().unwrap()).unwrap();
        deltas.for_each(|delta| manifest.apply(delta).unwrap());
        manifest
    }

    /// How often something of a segment was read from the tier.
    pub fn segment_reads(&self) -> usize {
        let of_segment = |request: &&Request| request.verb == Verb::Read && request.key.contains("/segments/");
        self.tier.requests().iter().filter(of_segment).count()
    }

    /// Objects of segments in the tier that the manifest does not name.
    pub fn orphans(&self) -> Vec<String> {
        let names = Names::default();
        let manifest = self.manifest();
        let is_orphan = |key: &String| {
            let Some((_, name)) = names.parse_segment(key) else { return false };
            let row = manifest.rows.get(&name.sequence);
            row.is_none_or(|row| (row.epoch, row.random) != (name.epoch, name.random))
        };
        self.tier.objects().into_keys().filter(is_orphan).collect()
    }

    /// Claims are claims, and every row has its object as it was sent.
    pub fn check(&self) {
        let (names, objects, tape) = (Names::default(), self.tier.objects(), self.tape());
        for (key, bytes) in objects.iter().filter(|(key, _)| key.contains("/gateways/") || key.contains("/barcodes/")) {
            assert_eq!(capstan_format::manifest::Claim::decode(bytes).unwrap().gateway, self.gateway, "{key}");
        }
        for row in self.manifest().rows.values() {
            let (sequence, epoch, random) = (row.sequence, row.epoch, row.random);
            let bytes = &objects[&names.segment(&tape, SegmentName { sequence, epoch, random })];
            assert_eq!(blake3::hash(bytes).as_bytes(), &row.object_hash, "segment {sequence}");
        }
    }

    pub fn told(&self, kind: NoticeKind) -> Vec<String> {
        let notices = self.notices.lock().unwrap();
        notices.iter().filter(|notice| notice.kind == kind).map(|notice| notice.text.clone()).collect()
    }
}

impl Running {
    pub fn create(&self) {
        let barcode = Barcode::new("CAP001L8").unwrap();
        Cartridge::create(&self.store, NewCartridge { id: ID, barcode, capacity: 1 << 30 }).unwrap();
    }

    pub fn load(&self) {
        self.load_other(ID);
    }

    pub fn load_other(&self, id: CartridgeId) {
        let cartridge = Cartridge::open_with(&self.store, id, self.options).unwrap();
        *self.drive.0.lock().unwrap() = Some(cartridge);
    }

    pub fn unload(&self) {
        let cartridge = self.drive.0.lock().unwrap().take().unwrap();
        cartridge.close().unwrap();
    }

    /// As the death of the process leaves it.
    pub fn drop_cartridge(&self) {
        drop(self.drive.0.lock().unwrap().take());
    }

    /// Goes to that object.
    pub fn locate(&self, object: u64) {
        let target = LocateTarget::Object(LogicalObjectId(object));
        self.perform(MediumOp::Locate { partition: Partition(0), target });
    }

    pub fn perform(&self, op: MediumOp) -> MediumDone {
        self.drive.perform(op).unwrap()
    }

    pub fn is_shipped(&self, objects: u64) -> bool {
        let tape = self.operations.tape(ID).unwrap_or_default();
        tape.tier_to == objects && tape.unshipped_bytes == 0
    }

    /// Writes blocks with these numbers, and a synchronous filemark.
    pub fn write(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let data = block(number);
            self.perform(MediumOp::Write { data, block_length: u32::try_from(BLOCK).unwrap() });
        }
        self.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true });
    }

    /// The tape holds these blocks from where it stands.
    pub fn expect_blocks(&self, numbers: impl Iterator<Item = u64>) {
        for number in numbers {
            let read = self.perform(read());
            assert!(read.data == block(number), "block {number} is another");
        }
    }

    /// The tape holds these blocks from where it stands, and a filemark.
    pub fn expect(&self, numbers: std::ops::Range<u64>) {
        self.expect_blocks(numbers);
        let read = self.perform(read());
        assert_eq!(read.stop, Some(capstan_media::Stop::Filemark));
    }

    pub fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}: {:?}", self.operations.tiers());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until everything up to that object is in the tier.
    pub fn shipped_to(&self, objects: u64) {
        self.until("shipped", || self.is_shipped(objects));
    }

    /// Deletes what is nobody's and older than `age`.
    pub fn scrub(&self, age: Duration) -> Scrubbed {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        self.until("ready", || self.operations.tiers()[0].state == TierState::Ready);
        runtime.block_on(self.mover.control().scrub(age)).unwrap()
    }

    pub fn stop(self) {
        self.drop_cartridge();
        self.mover.stop();
    }
}
