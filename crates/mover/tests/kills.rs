//! A death at any moment: what was acknowledged is there, and is in the tier once the next start has had its time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod rig;

use std::time::Duration;

use capstan_mover::NoticeKind;
use rig::{ID, Rig, Running};

/// Ends after so many requests to the tier, wherever everything else is then.
fn end_after(rig: &Rig, running: Running, requests: usize, spins: u64) {
    running.until("so many requests", || rig.tier.requests().len() >= requests);
    (0..spins).for_each(|_| std::thread::yield_now());
    running.stop();
}

fn dies_while_shipping(requests: usize, spins: u64) {
    println!("after {requests} requests and {spins} spins");
    let rig = Rig::new();
    let running = rig.start_loaded();
    running.write(0..20);
    if requests > 8 {
        running.shipped_to(21);
        running.locate(10);
        running.write(100..120);
    }
    end_after(&rig, running, requests, spins);
    let running = rig.start();
    running.load();
    if requests > 8 {
        running.expect_blocks((0..10).chain(100..120));
        running.shipped_to(31);
    } else {
        running.expect(0..20);
        running.shipped_to(21);
    }
    running.unload();
    running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
    running.scrub(Duration::ZERO);
    running.stop();
    assert_eq!(rig.orphans(), Vec::<String>::new());
    rig.check();
    assert_eq!(rig.told(NoticeKind::Fenced).len() + rig.told(NoticeKind::NotShipped).len(), 0, "{:?}", rig.notices);
    std::fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    running.load();
    running.expect_blocks(if requests > 8 { (0..10).chain(100..120) } else { (0..20).chain(0..0) });
    running.stop();
}

#[test]
fn a_death_after_any_request_of_shipping_costs_nothing() {
    for requests in 0..17 {
        for spins in 0..2 * rig::soak() {
            dies_while_shipping(requests, spins * 50);
        }
    }
}

#[test]
fn a_death_in_the_middle_of_a_recall_costs_nothing() {
    for reads in 0..6 * rig::soak() {
        let rig = Rig::new();
        let running = rig.start_loaded();
        running.write(0..60);
        running.unload();
        running.shipped_to(61);
        running.until("moved", || running.store.look_at(ID).unwrap().segments().unwrap().is_empty());
        running.stop();
        std::fs::remove_dir_all(rig.cache_path()).unwrap();
        let running = rig.start();
        running.load();
        running.expect_blocks(0..(1 + reads * 7) % 60);
        // The process is gone: what came is on its way into the cache, or there.
        running.drop_cartridge();
        running.stop();
        let running = rig.start();
        running.load();
        running.expect(0..60);
        running.until("counted to the byte", || {
            running.store.cached() == running.store.coldest().iter().map(|(_, length)| length).sum::<u64>()
        });
        running.stop();
    }
}
