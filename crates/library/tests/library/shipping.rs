//! A library whose cartridges are shipped to a tier, with an upload buffer that is smaller than what is written.

use std::sync::Arc;
use std::time::Duration;

use capstan_disk::RealDisk;
use capstan_library::{CartridgeOptions, EventKind, ExportFormat, ImportFormat, UploadBuffer};
use capstan_media::GatewayId;
use capstan_mover::{AreaRules, CacheLimits, Listener, Mover, MoverOptions, Patience, ShippingRules, TierSetup};
use capstan_scsi::sam::Status;
use capstan_tier::names::Names;
use capstan_tier::{Limits, MemoryTier, RetryPolicy, TierErrorKind};

use crate::bench::{Bench, block};
use crate::host::{FILEMARK, write};
use crate::images;

const SIZE: u64 = 1 << 20;
const LENGTH: usize = 64 << 10;
const SMALL: CartridgeOptions =
    CartridgeOptions { segment_size: 128 << 10, unsynced_segments: 2, reserve: 1 << 20, versions: 32 };

/// A mover that does not take its time.
fn mover(bench: &Bench, tier: &MemoryTier) -> Mover {
    let patience = RetryPolicy {
        first: Duration::from_millis(2),
        longest: Duration::from_millis(20),
        attempts: u32::MAX,
        budget: Duration::MAX,
    };
    let rules = ShippingRules {
        close_after: Duration::from_millis(20),
        delta_every: Duration::from_millis(5),
        look_every: Duration::from_millis(5),
        try_again: Duration::from_millis(20),
        cartridge: SMALL,
        ..ShippingRules::default()
    };
    Mover::start(MoverOptions {
        library: Some(bench.library().images()),
        areas: AreaRules::default(),
        store: bench.library().store(),
        keeper: bench.library().keeper(),
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
        gateway: GatewayId([1; 16]),
        gateway_name: "gw".to_owned(),
        state_dir: bench.outside().join("mover"),
        disk: Arc::new(RealDisk),
        buffer_size: SIZE,
        cache: CacheLimits { size: 1 << 30, high_water: 1 << 30, low_water: 1 << 29, free_floor: 0 },
        rules,
        patience: Patience { shipping: patience, recall: patience, answer: Duration::from_millis(200) },
        listener: Listener::new(|_| {}),
    })
    .unwrap()
}

/// The room is made by shipping the very cartridge whose WRITE waits for it.
#[test]
fn a_tier_that_comes_back_lets_the_job_go_on() {
    let mut bench = Bench::unstarted(|options| {
        options.upload_buffer = Some(UploadBuffer { size: SIZE, stall_limit: Duration::from_secs(3600) });
        options.cartridge = SMALL;
    });
    bench.options.cache_dir = Some(bench.outside().join("cache"));
    bench.start();
    let tier = MemoryTier::new("memory");
    let mover = mover(&bench, &tier);
    tier.away(Some(TierErrorKind::Unavailable));
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    // More than fits: the last ones wait.
    let tasks: Vec<_> = (0..20).map(|number| drive.submit(&write(LENGTH), &block(number, LENGTH))).collect();
    let is_full = |bench: &Bench| {
        bench.library().events().since(0).events.iter().any(|event| event.kind == EventKind::BufferFull)
    };
    bench.until(is_full);
    assert!(bench.library().store().used() >= SIZE);
    tier.away(None);
    for task in tasks {
        assert_eq!(drive.wait(task).status, Status::GOOD);
    }
    for number in 20..60 {
        drive.write_good(&block(number, LENGTH));
    }
    drive.filemarks(1);
    drive.rewind();
    for number in 0..60 {
        assert_eq!(drive.read().unwrap(), block(number, LENGTH), "block {number}");
    }
    assert_eq!(drive.read(), Err(FILEMARK));
    let store = bench.library().store();
    assert!(store.left() > 2 * SIZE && store.cached() > 2 * SIZE, "{} left, {} cached", store.left(), store.cached());
    mover.stop();
}

/// What is imported goes through the upload buffer, and what is exported comes from wherever it is.
#[test]
fn an_image_larger_than_the_buffer_is_imported_and_exported_from_the_tier() {
    let mut bench = Bench::unstarted(|options| {
        options.upload_buffer = Some(UploadBuffer { size: SIZE, stall_limit: Duration::from_secs(3600) });
        options.cartridge = SMALL;
    });
    bench.options.cache_dir = Some(bench.outside().join("cache"));
    bench.start();
    let tier = MemoryTier::new("memory");
    let mover = mover(&bench, &tier);
    let objects = (0..100).map(|number| (number % 9 != 0).then(|| block(number, LENGTH))).collect();
    let golden = images::image(&objects);
    let path = bench.outside().join("in.tap");
    std::fs::write(&path, &golden).unwrap();
    let order = images::import_order("TAP001L8", &[&path], ImportFormat::Tap);
    assert_eq!(images::transferred(&bench, images::import(&bench, order)).blocks, 88);
    let tape = bench.tape("TAP001L8").id;
    let store = bench.library().store();
    let directory = store.look_at(tape).unwrap();
    // Each as soon as it is shipped, until nothing of it is here.
    bench.until(|_| {
        for (segment, _) in directory.cached_segments() {
            directory.evict_segment(segment).unwrap();
        }
        directory.segments().unwrap().is_empty() && directory.cached_segments().is_empty()
    });
    let out = bench.outside().join("out.tap");
    images::transferred(&bench, images::export(&bench, "TAP001L8", images::export_order(&out, ExportFormat::Tap)));
    assert!(std::fs::read(&out).unwrap() == golden);
    mover.stop();
}
