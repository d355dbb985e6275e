//! What a tier sees of an encrypted tape, and what is without its key.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use std::collections::HashSet;

use capstan_mover::NoticeKind;
use capstan_tier::WrappingKey;
use capstan_tier::names::Names;
use rig::{ID, Rig, block};

fn key(byte: u8) -> WrappingKey {
    WrappingKey::new([byte; 32])
}

fn shipped(rig: &Rig) {
    let running = rig.start_loaded();
    running.write(0..40);
    running.unload();
    running.shipped_to(41);
    running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.stop();
}

#[test]
fn nothing_of_the_plain_text_is_in_the_tier_and_it_comes_back() {
    let mut rig = Rig::new();
    rig.wrapping_key = Some(key(1));
    shipped(&rig);
    let mut runs = HashSet::new();
    for number in 0..40 {
        let block = block(number);
        runs.extend(block.windows(16).map(<[u8]>::to_vec));
    }
    for (key, bytes) in rig.tier.objects() {
        assert!(!bytes.windows(16).any(|run| runs.contains(run)), "{key}");
    }
    assert!(rig.manifest().rows.values().all(|row| row.encrypted));
    assert!(rig.tier.objects().contains_key(&Names::default().wrapped_key(&rig.tape(), 1)));
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.load();
    running.expect(0..40);
    assert!(running.operations.tiers()[0].encryption.is_some());
    running.stop();
}

#[test]
fn without_its_key_nothing_is_shipped_and_nothing_recalled() {
    for (other, why) in [(None, "no key file is configured"), (Some(key(2)), "its key cannot be used")] {
        let mut rig = Rig::new();
        rig.wrapping_key = Some(key(1));
        shipped(&rig);
        std::fs::remove_dir_all(rig.cache_path()).unwrap();
        let before = rig.tier.objects();
        rig.wrapping_key = other;
        let running = rig.start();
        running.load();
        let read = running.drive.perform(rig::read()).unwrap_err();
        assert!(read.message.contains(why), "{}", read.message);
        running.locate(41);
        running.write(100..120);
        running.until("told", || rig.told(NoticeKind::NotShipped).iter().any(|text| text.contains(why)));
        assert!(running.operations.shipping().unshipped_bytes > 0);
        running.stop();
        assert_eq!(rig.tier.objects(), before);
        // With it again, all goes on.
        rig.wrapping_key = Some(key(1));
        let running = rig.start();
        running.load();
        running.expect(0..40);
        running.expect(100..120);
        running.shipped_to(62);
        running.stop();
        assert!(rig.manifest().rows.values().all(|row| row.encrypted));
    }
}

#[test]
fn a_key_in_the_tier_that_is_another_is_told() {
    let mut rig = Rig::new();
    rig.wrapping_key = Some(key(1));
    let name = Names::default().wrapped_key(&rig.tape(), 1);
    rig.tier.put(&name, Some(vec![7; 128].into()));
    let running = rig.start_loaded();
    running.write(0..20);
    running.until("told", || rig.told(NoticeKind::NotShipped).iter().any(|text| text.contains("another key")));
    running.stop();
    assert!(!rig.tier.objects().keys().any(|key| key.contains("/segments/")));
}
