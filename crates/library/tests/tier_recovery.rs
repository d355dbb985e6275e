//! The machine is lost, and its library is made again from the tier: as it was, whatever happens meanwhile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_cartridge::Cartridge;
use capstan_catalog::{Catalog, State};
use capstan_disk::{Disk, Loss, RealDisk, SimDisk, SimFault};
use capstan_library::{
    CartridgeOptions, CartridgeState, ErrorKind, Fate, FirstStart, Library, LibraryError, LibraryOptions, RemarkKind,
    TierRecoverOptions, TierRecovery, l700_layout, recover_from_tier,
};
use capstan_media::{Barcode, CartridgeId, GatewayId, MediumOp, Place, ReadRequest};
use capstan_mover::{
    AreaRules, CacheLimits, Listener, Mover, MoverOptions, Patience, Remains, ShippingRules, TierSetup,
};
use capstan_store::Store;
use capstan_tier::names::{Names, TapeName};
use capstan_tier::sim::Request;
use capstan_tier::{Limits, MemoryTier, RetryPolicy, Verb};

const SMALL: CartridgeOptions = CartridgeOptions { segment_size: 9000, unsynced_segments: 1, reserve: 0, versions: 3 };
const STATE: &str = "/state";

fn barcode(label: &str) -> Barcode {
    Barcode::new(label).unwrap()
}

fn patience() -> Patience {
    let policy = RetryPolicy {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(10),
        attempts: 20,
        budget: Duration::from_secs(10),
    };
    Patience { shipping: policy, recall: policy, answer: Duration::from_secs(5) }
}

/// A library that has shipped all it has, and is gone.
struct Lost {
    tier: MemoryTier,
    state: State,
    options: LibraryOptions,
    uuid: [u8; 16],
}

fn options(state_dir: PathBuf) -> LibraryOptions {
    LibraryOptions {
        layout: l700_layout(2, 8, 2),
        first_start: FirstStart { count: 4, size: 1 << 30, prefix: "CAP".to_owned() },
        cartridge: SMALL,
        ..LibraryOptions::new(state_dir)
    }
}

fn mover(library: &Library, tier: &MemoryTier, state_dir: PathBuf) -> Mover {
    library.store().open_cache(&state_dir.with_file_name("cache")).unwrap();
    let patience = patience();
    Mover::start(MoverOptions {
        store: library.store(),
        keeper: library.keeper(),
        setup: TierSetup {
            tier: Arc::new(tier.clone()),
            names: Names::default(),
            kind: "memory".to_owned(),
            place: "here".to_owned(),
            wrapping_key: None,
            key_file: None,
            found: None,
            probe: None,
            limits: Limits::default(),
        },
        library: Some(library.images()),
        gateway: GatewayId(library.uuid()),
        gateway_name: "gw".to_owned(),
        state_dir,
        disk: Arc::new(RealDisk),
        buffer_size: 1 << 30,
        cache: CacheLimits { size: 1 << 30, high_water: 1 << 30, low_water: 1 << 29, free_floor: 0 },
        areas: AreaRules::default(),
        rules: ShippingRules {
            close_after: Duration::from_millis(5),
            delta_every: Duration::from_millis(2),
            library_every: Duration::from_millis(2),
            look_every: Duration::from_millis(2),
            try_again: Duration::from_millis(5),
            cartridge: SMALL,
            ..ShippingRules::default()
        },
        patience,
        listener: Listener::new(|_| {}),
    })
    .unwrap()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn block(seed: u8, number: u8) -> Bytes {
    vec![seed ^ number.wrapping_mul(7); 3000].into()
}

fn id_of(state: &State, label: &str) -> CartridgeId {
    *state.cartridges.iter().find(|(_, row)| row.barcode.as_str() == label).unwrap().0
}

/// Eight blocks and a filemark.
fn write(store: &Store, id: CartridgeId, seed: u8) {
    let mut tape = Cartridge::open_with(store, id, SMALL).unwrap();
    for number in 0..8 {
        tape.perform(MediumOp::Write { data: block(seed, number), block_length: 3000 }).unwrap();
    }
    tape.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true }).unwrap();
    tape.close().unwrap();
}

fn expect(store: &Store, id: CartridgeId, seed: u8) {
    let mut tape = Cartridge::open_with(store, id, SMALL).unwrap();
    for number in 0..8 {
        let read = tape.perform(MediumOp::Read(ReadRequest { block_length: 3000, count: 1 })).unwrap();
        assert_eq!(read.data, block(seed, number));
    }
}

fn catalog(state_dir: &Path, disk: &Arc<dyn Disk>) -> (u64, State) {
    Catalog::look_at(&state_dir.join("catalog.redb"), disk).unwrap().catalog.unwrap().unwrap()
}

impl Lost {
    /// CAP001L8 and CAP002L8 are written to, CAP003L8 is write-protected; CAP002L8 is in an import/export slot.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state_dir = directory.path().join("state");
        let (tier, options) = (MemoryTier::new("memory"), options(state_dir));
        let library = Library::start(&options, Arc::new(RealDisk)).unwrap();
        let uuid = library.uuid();
        let mover = mover(&library, &tier, directory.path().join("mover"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let librarian = library.librarian();
        runtime.block_on(librarian.move_medium(Place::Slot(2), Place::Io(1))).unwrap();
        runtime.block_on(librarian.set_protected(barcode("CAP003L8"), true)).unwrap();
        let images = library.images();
        let image = images.borrow().clone().unwrap();
        let state = State::decode(&image.bytes).unwrap().1;
        for (label, seed) in [("CAP001L8", 1), ("CAP002L8", 2)] {
            write(&library.store(), id_of(&state, label), seed);
        }
        let is_shipped = |label: &str| {
            let tape = mover.operations().tape(id_of(&state, label)).unwrap_or_default();
            tape.tier_to == 9 && tape.unshipped_bytes == 0
        };
        until("shipped", || is_shipped("CAP001L8") && is_shipped("CAP002L8"));
        let newest = Names::default().library_state(GatewayId(uuid), image.change);
        until("recorded", || tier.objects().contains_key(&newest));
        let lost = Self { tier, state, options, uuid };
        until("protected", || {
            let found = lost.remains().tapes(vec![lost.tape("CAP003L8"), lost.tape("CAP004L8")], &mut |_, _| {});
            let found = found.unwrap();
            found[0].facts().is_some_and(|facts| facts.protected) && found[1].facts().is_some()
        });
        mover.stop();
        library.shutdown();
        lost
    }

    fn remains(&self) -> Remains {
        Remains::new(Arc::new(self.tier.clone()), Names::default(), None, false, patience()).unwrap()
    }

    fn tape(&self, label: &str) -> TapeName {
        TapeName { barcode: barcode(label), cartridge: id_of(&self.state, label) }
    }

    fn how(&self) -> TierRecoverOptions {
        TierRecoverOptions {
            state_dir: STATE.into(),
            cartridge_dir: None,
            cache_dir: None,
            layout: self.options.layout,
            tier: "memory".to_owned(),
            tier_directory: None,
            gateway: "gw".to_owned(),
            tapes: Vec::new(),
            dry_run: false,
            sample: None,
        }
    }

    fn recover(&self, disk: &SimDisk) -> Result<TierRecovery, LibraryError> {
        self.recover_with(disk, &self.how())
    }

    fn recover_with(&self, disk: &SimDisk, how: &TierRecoverOptions) -> Result<TierRecovery, LibraryError> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        recover_from_tier(how, &self.remains(), &disk, &mut |_, _, _| {})
    }

    /// What a recovery has written is what was there before.
    fn check(&self, disk: &SimDisk, context: &str) {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let (revision, state) = catalog(Path::new(STATE), &disk);
        assert_eq!(state, self.state, "{context}");
        assert!(disk.length(Path::new("/state/recovering")).is_err(), "{context}");
        let newest = self.remains().library_states(GatewayId(self.uuid)).unwrap()[0];
        assert_eq!(revision, newest + 1, "{context}: the library's own states begin behind the one that was claimed");
        let store = Store::open(Path::new("/state/cartridges"), disk).unwrap();
        let mut all = store.list().unwrap();
        all.sort();
        assert_eq!(all, state.cartridges.keys().copied().collect::<Vec<_>>(), "{context}");
        for (id, facts) in capstan_cartridge::list(&store).unwrap() {
            let (facts, row) = (facts.unwrap(), &state.cartridges[&id]);
            let expected = match row.barcode.as_str() {
                "CAP001L8" | "CAP002L8" => (9, false),
                "CAP003L8" => (0, true),
                _ => (0, false),
            };
            assert_eq!((facts.objects, facts.protected), expected, "{context}: {}", row.barcode);
            assert_eq!(store.look_at(id).unwrap().segments().unwrap(), Vec::<u64>::new(), "{context}");
        }
    }
}

fn kinds(recovery: &TierRecovery) -> Vec<(RemarkKind, Option<&str>)> {
    recovery.remarks.iter().map(|remark| (remark.kind, remark.barcode.as_deref())).collect()
}

#[test]
fn everything_comes_back_where_it_was_and_is_gone_on_with() {
    let lost = Lost::new();
    let directory = tempfile::tempdir().unwrap();
    let state_dir = directory.path().join("state");
    let how = TierRecoverOptions { state_dir: state_dir.clone(), ..lost.how() };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut told = Vec::new();
    let recovery =
        recover_from_tier(&how, &lost.remains(), &disk, &mut |what, done, of| told.push(format!("{what} {done}/{of}")))
            .unwrap();
    assert_eq!((&recovery.state, kinds(&recovery), recovery.is_incomplete()), (&lost.state, vec![], false));
    let fates: Vec<_> = recovery.tapes.iter().map(|tape| (tape.barcode.as_str(), tape.fate.clone())).collect();
    assert_eq!(fates.len(), 4);
    assert!(fates.iter().all(|(_, fate)| *fate == Fate::Whole), "{fates:?}");
    assert_eq!(recovery.tapes[1].place, Some(Place::Io(1)));
    assert!(told.contains(&"bringing back 4/4".to_owned()), "{told:?}");
    // It starts, is the same library, reads, writes and ships.
    let options = LibraryOptions { state_dir: state_dir.clone(), ..lost.options.clone() };
    let library = Library::start(&options, disk).unwrap();
    assert_eq!(library.uuid(), lost.uuid);
    let mover = mover(&library, &lost.tier, state_dir.join("tiers"));
    let (one, two) = (id_of(&lost.state, "CAP001L8"), id_of(&lost.state, "CAP002L8"));
    expect(&library.store(), one, 1);
    expect(&library.store(), two, 2);
    write(&library.store(), one, 9);
    until("shipped", || {
        let found = lost.remains().tapes(vec![lost.tape("CAP001L8")], &mut |_, _| {}).unwrap();
        mover.operations().tape(one).unwrap_or_default().tier_to == 9
            && found[0].chain.manifest.as_ref().unwrap().rows.len() >= 3
    });
    until("recorded", || {
        let image = library.images().borrow().clone().unwrap();
        lost.remains().library_states(GatewayId(lost.uuid)).unwrap()[0] == image.change
    });
    assert_eq!(mover.operations().tiers()[0].notes, Vec::<String>::new(), "it is no older copy");
    mover.stop();
    library.shutdown();
}

#[test]
fn a_dry_run_writes_nothing_anywhere() {
    let lost = Lost::new();
    let (disk, before, objects) = (SimDisk::new(), lost.tier.requests().len(), lost.tier.objects());
    let recovery = lost.recover_with(&disk, &TierRecoverOptions { dry_run: true, ..lost.how() }).unwrap();
    assert_eq!((&recovery.state, recovery.written), (&lost.state, false));
    assert_eq!((disk.used(), disk.list(Path::new("/")).unwrap().len()), (0, 0));
    let writes = |request: &&Request| matches!(request.verb, Verb::Create | Verb::Delete);
    assert_eq!(lost.tier.requests()[before..].iter().find(writes), None);
    assert_eq!(lost.tier.objects(), objects);
}

#[test]
fn the_power_may_go_at_every_call_and_it_is_begun_again() {
    let lost = Lost::new();
    let whole = SimDisk::new();
    lost.recover(&whole).unwrap();
    lost.check(&whole, "without a cut");
    let calls = whole.calls();
    let soak = std::env::var("CAPSTAN_SOAK").is_ok();
    let losses = [Loss::All, Loss::Nothing, Loss::Names, Loss::Pages, Loss::Random(7)];
    let mut cut = 0;
    for call in 1..=calls {
        for (index, loss) in losses.iter().enumerate() {
            if !soak && call % 5 != index as u64 {
                continue;
            }
            let context = format!("power lost at call {call} of {calls}, {loss:?}");
            let disk = SimDisk::new();
            disk.fail_at(call, SimFault::PowerOff);
            let first = lost.recover(&disk);
            cut += u32::from(first.is_err());
            disk.restart(*loss);
            let shared: Arc<dyn Disk> = Arc::new(disk.clone());
            if disk.length(Path::new("/state/recovering")).is_ok() {
                // Nothing is begun on half of a library.
                let options = LibraryOptions { state_dir: STATE.into(), ..lost.options.clone() };
                let refused = Library::start(&options, Arc::clone(&shared)).err().unwrap();
                assert!(matches!(refused, LibraryError::RecoveryUnfinished(_)), "{context}: {refused}");
            }
            match lost.recover(&disk) {
                Ok(_) => {}
                // It had come to its end.
                Err(LibraryError::NotEmpty(_)) => {}
                Err(error) => panic!("{context}: {error}"),
            }
            lost.check(&disk, &context);
        }
    }
    println!("{cut} recoveries were cut, of {calls} calls");
    assert!(u64::from(cut) + 10 > calls, "{cut}");
}

#[test]
fn of_two_recoveries_at_once_one_has_the_library() {
    for round in 0..10 {
        let lost = Lost::new();
        let disks = [SimDisk::new(), SimDisk::new()];
        let ends = std::thread::scope(|scope| {
            let threads = [&disks[0], &disks[1]].map(|disk| scope.spawn(|| lost.recover(disk)));
            threads.map(|thread| thread.join().unwrap())
        });
        // One that begins when the other has come to its end takes over from it: then that one is told by the tier.
        let winners: Vec<usize> = (0..2).filter(|index| ends[*index].is_ok()).collect();
        assert!(!winners.is_empty(), "{round}: {ends:?}");
        for end in ends.iter().filter_map(|end| end.as_ref().err()) {
            assert!(matches!(end, LibraryError::Overtaken(_)) && end.kind() == ErrorKind::Refused, "{end}");
        }
        let states = lost.remains().library_states(GatewayId(lost.uuid)).unwrap();
        let newest = |index: &usize| {
            let disk: Arc<dyn Disk> = Arc::new(disks[*index].clone());
            catalog(Path::new(STATE), &disk).0 == states[0] + 1
        };
        let holders: Vec<&usize> = winners.iter().filter(|index| newest(index)).collect();
        assert_eq!(holders.len(), 1, "{round}: {winners:?}");
        lost.check(&disks[*holders[0]], &format!("{round}"));
        // The one that has the library has every cartridge: what its log begins with is the last delta of each.
        let disk: Arc<dyn Disk> = Arc::new(disks[*holders[0]].clone());
        let store = Store::open(Path::new("/state/cartridges"), disk).unwrap();
        let names: Vec<TapeName> = lost.state.cartridges.values().map(|row| lost.tape(row.barcode.as_str())).collect();
        for found in lost.remains().tapes(names, &mut |_, _| {}).unwrap() {
            let number = found.chain.manifest.as_ref().unwrap().number;
            let last = lost.tier.objects()[&Names::default().delta(&found.tape, number)].clone();
            assert_eq!(store.look_at(found.tape.cartridge).unwrap().read_shipped().unwrap(), last);
        }
    }
}

#[test]
fn where_something_is_nothing_is_recovered() {
    let lost = Lost::new();
    let disk = SimDisk::new();
    disk.create_directory(Path::new(STATE)).unwrap();
    disk.create_directory(Path::new("/state/cartridges")).unwrap();
    disk.open(Path::new("/state/cartridges/x"), capstan_disk::Mode::Create).unwrap();
    let objects = lost.tier.objects();
    let refused = lost.recover(&disk).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.to_string().starts_with("/state/cartridges is there"), "{refused}");
    let area = TierRecoverOptions { cartridge_dir: Some("/state/cartridges".into()), ..lost.how() };
    let refused = lost.recover_with(&disk, &area).unwrap_err();
    assert!(refused.to_string().starts_with("/state/cartridges/x is there"), "{refused}");
    let other = TierRecoverOptions { gateway: "other".to_owned(), ..lost.how() };
    let refused = lost.recover_with(&SimDisk::new(), &other).unwrap_err().to_string();
    assert!(refused.starts_with("no gateway \"other\" has used the tier; there is gw ("), "{refused}");
    let other = TierRecoverOptions { tapes: vec![barcode("NONE")], ..lost.how() };
    let refused = lost.recover_with(&SimDisk::new(), &other).unwrap_err().to_string();
    assert!(refused.contains("a cartridge NONE"), "{refused}");
    assert_eq!(lost.tier.objects(), objects);
}

#[test]
fn what_does_not_come_back_as_it_was_is_named() {
    let lost = Lost::new();
    let (names, gateway) = (Names::default(), GatewayId(lost.uuid));
    let remove = |begin: &str| {
        let keys: Vec<String> = lost.tier.objects().into_keys().filter(|key| key.starts_with(begin)).collect();
        keys.iter().for_each(|key| lost.tier.put(key, None));
        keys.len()
    };
    // One has lost its manifest, of one nothing was ever there, and the newest state of the library is spoiled.
    assert!(remove(&names.manifest(&lost.tape("CAP001L8"))) > 0);
    assert!(remove(&names.tape(&lost.tape("CAP004L8"))) > 0);
    let newest = lost.remains().library_states(gateway).unwrap()[0];
    lost.tier.put(&names.library_state(gateway, newest), Some(vec![7; 100].into()));
    let earlier = lost.remains().library_states(gateway).unwrap()[1];
    let disk = SimDisk::new();
    let recovery = lost.recover(&disk).unwrap();
    assert!(recovery.is_incomplete());
    assert_eq!(recovery.change, Some(earlier));
    let fate = |label: &str| recovery.tapes.iter().find(|tape| tape.barcode.as_str() == label).unwrap().fate.clone();
    assert!(matches!(fate("CAP001L8"), Fate::Lost(_)), "{:?}", fate("CAP001L8"));
    assert_eq!(fate("CAP004L8"), Fate::Blank);
    let row = &recovery.state.cartridges[&id_of(&lost.state, "CAP001L8")];
    assert_eq!(row.state, CartridgeState::Irrecoverable);
    let kinds = kinds(&recovery);
    for kind in
        [(RemarkKind::Uncertain, None), (RemarkKind::Lost, Some("CAP001L8")), (RemarkKind::Blank, Some("CAP004L8"))]
    {
        assert!(kinds.contains(&kind), "{kind:?}: {kinds:?}");
    }
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let store = Store::open(Path::new("/state/cartridges"), shared).unwrap();
    let facts = capstan_cartridge::inspect(&store, id_of(&lost.state, "CAP004L8")).unwrap();
    assert_eq!((facts.objects, facts.capacity), (0, 1 << 30));
    drop(store);
    let options = LibraryOptions { state_dir: STATE.into(), ..lost.options.clone() };
    let library = Library::start(&options, Arc::new(disk)).unwrap();
    library.shutdown();
}

#[test]
fn without_any_state_of_the_library_cartridges_are_found_by_their_claims() {
    let lost = Lost::new();
    let gateway = GatewayId(lost.uuid);
    for change in lost.remains().library_states(gateway).unwrap() {
        lost.tier.put(&Names::default().library_state(gateway, change), None);
    }
    let disk = SimDisk::new();
    let recovery = lost.recover(&disk).unwrap();
    assert_eq!((recovery.change, recovery.is_incomplete()), (None, false));
    let found: Vec<_> = ["CAP001L8", "CAP002L8", "CAP003L8", "CAP004L8"].map(|it| (RemarkKind::Found, Some(it))).into();
    let mut told = kinds(&recovery);
    told.sort();
    assert_eq!(told, found);
    let at: Vec<_> = recovery.tapes.iter().map(|tape| tape.place).collect();
    assert_eq!(at, (1..=4).map(|slot| Some(Place::Slot(slot))).collect::<Vec<_>>());
    assert_eq!(recovery.state.identity.unwrap().uuid, lost.uuid, "devices have the serial numbers that they had");
}

#[test]
fn some_of_them_can_be_had_alone() {
    let lost = Lost::new();
    let how = TierRecoverOptions { tapes: vec![barcode("CAP002L8")], ..lost.how() };
    let recovery = lost.recover_with(&SimDisk::new(), &how).unwrap();
    assert_eq!(recovery.tapes.len(), 1);
    assert_eq!(recovery.state.cartridges.len(), 1);
    assert_eq!((recovery.tapes[0].place, kinds(&recovery)), (Some(Place::Io(1)), vec![(RemarkKind::NotAsked, None)]));
}
