//! What is written comes to be in the tier, and back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod rig;

use capstan_media::MediumOp;
use capstan_mover::NoticeKind;
use rig::{ID, Rig};

#[test]
fn what_was_shipped_is_read_back_without_the_cache() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..50);
    running.unload();
    running.shipped_to(51);
    running.stop();
    std::fs::remove_dir_all(rig.cache_path()).unwrap();

    let running = rig.start();
    assert_eq!((running.store.cached(), running.store.look_at(ID).unwrap().segments().unwrap()), (0, vec![]));
    running.load();
    running.expect(0..50);
    let tier = &running.operations.tiers()[0];
    assert!(tier.downloaded_bytes > 50_000 && tier.retries == 0, "{tier:?}");
    let all: u64 = rig.manifest().rows.values().map(|row| row.segment_length).sum();
    running.until("kept", || running.store.cached() == all);
    let reads = rig.segment_reads();
    running.perform(MediumOp::Rewind);
    running.expect(0..50);
    assert_eq!(rig.segment_reads(), reads, "and read from here");
    running.stop();
    assert_eq!(rig.orphans(), Vec::<String>::new());
    assert_eq!(rig.told(NoticeKind::NotShipped), Vec::<String>::new());
}

#[test]
fn a_loaded_cartridge_is_shipped_while_it_is_written() {
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..50);
    running.shipped_to(51);
    let shipping = running.operations.shipping();
    assert_eq!((shipping.unshipped_bytes, shipping.oldest_unshipped), (0, None));
    running.write(50..80);
    running.shipped_to(82);
    running.perform(MediumOp::Rewind);
    running.expect(0..50);
    running.expect(50..80);
    running.stop();
    let manifest = rig.manifest();
    let meta = capstan_format::Meta::decode(&manifest.meta.clone().unwrap()).unwrap();
    assert_eq!((meta.end.object, meta.open), (82, false));
    assert!(manifest.points.iter().any(|point| point.object == 51));
}
