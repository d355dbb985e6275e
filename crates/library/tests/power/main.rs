//! The power goes while a library works: robot moves, hosts write, overwrite and erase, operators make and delete
//! cartridges. It goes at every synchronisation, right after each, and at calls between; and it takes with it all that
//! was not synchronised, or a part by chance, or only names, or only pages, or nothing (the process alone has died).
//!
//! After each loss the library starts, and: every cartridge is in exactly one place, the one that was answered or, of
//! the operation that was cut, the one before or after it; every tape holds, byte for byte, what it held at its last
//! recovery point or at a moment since (after the death of the process alone: since the last answer); the position is
//! lost; and work goes on. Every block ever written is different, so an old one that comes back is seen.
//!
//! The ordinary run takes a sample. `CAPSTAN_SOAK=n` takes every call with every pattern, and n seeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    unreachable_pub
)]

#[path = "../library/host.rs"]
#[allow(dead_code, reason = "each test uses a part of it")]
mod host;
mod script;
mod site;
mod world;

use capstan_disk::{Loss, SimFault};
use script::{Op, SCRIPT};
use site::Site;

const PATTERNS: usize = 6;

/// One of the ways in which a power cut can go.
fn pattern(index: usize, seed: u64) -> Loss {
    match index % PATTERNS {
        0 => Loss::All,
        1 => Loss::Nothing,
        2 => Loss::Names,
        3 => Loss::Pages,
        4 => Loss::Random(seed),
        _ => Loss::Random(!seed),
    }
}

/// How many seeds the long form takes; nothing for the ordinary run.
fn soak() -> Option<u64> {
    std::env::var("CAPSTAN_SOAK").ok().map(|times| times.parse().unwrap())
}

/// Cuts with their patterns: all of them, or every synchronisation, the call after it, and some between.
fn cuts(calls: u64, synchronisations: &[u64], every: u64, seed: u64) -> Vec<(u64, Loss)> {
    if soak().is_some() {
        return (1..=calls)
            .flat_map(|call| (0..PATTERNS).map(move |index| (call, pattern(index, call.wrapping_mul(31) ^ seed))))
            .collect();
    }
    let mut chosen: Vec<u64> =
        synchronisations.iter().flat_map(|call| [*call, call + 1]).filter(|call| *call <= calls).collect();
    chosen.extend((1..=calls).step_by(7));
    chosen.sort_unstable();
    chosen.dedup();
    let sampled = chosen.into_iter().enumerate().filter(|(index, _)| (*index as u64 + seed).is_multiple_of(every));
    sampled.map(|(index, call)| (call, pattern(index / every as usize, call.wrapping_mul(31) ^ seed))).collect()
}

/// Runs a script with each of the cuts.
fn cut_everywhere(name: &str, seed: u64, script: &[Op], every: u64) {
    let site = Site::new();
    let run = site.run(script);
    assert!(run.next.is_none(), "{name}: {:?} failed without a cut", run.last);
    let (calls, synchronisations) = (site.disk.calls(), site.disk.synchronisations());
    site.disk.restart(Loss::All);
    site.check(&run, Loss::All, &format!("{name}: a proper stop"));
    let cuts = cuts(calls, &synchronisations, every, seed);
    let mut unnoticed = 0;
    for (call, loss) in &cuts {
        let what = format!("{name}: power lost at call {call} of {calls}, {loss:?}");
        let site = Site::new();
        site.disk.fail_at(*call, SimFault::PowerOff);
        let run = site.run(script);
        unnoticed += u64::from(!run.was_cut);
        site.disk.restart(*loss);
        site.check(&run, *loss, &what);
        if call % 4 == 0 {
            site.goes_on(&what);
        }
    }
    println!("{name}: {calls} calls, {} synchronisations, {} cuts", synchronisations.len(), cuts.len());
    // Last: what is lost says more than how often something was synchronised.
    assert!(unnoticed * 50 < cuts.len() as u64, "{name}: {unnoticed} of {} cuts met nothing", cuts.len());
}

#[test]
fn the_power_goes_at_any_moment_of_a_script() {
    cut_everywhere("script", 0, &SCRIPT, 2);
}

#[test]
fn the_power_goes_at_any_moment_of_random_work() {
    for seed in 1..=soak().unwrap_or(3) {
        cut_everywhere(&format!("seed {seed}"), seed, &script::random(seed, 70), 3);
    }
}

/// A process that dies leaves directories that everybody sees and that are not durable. The next one must not build
/// on them.
#[test]
fn the_process_dies_in_the_first_start_and_later_the_power_goes() {
    let site = Site::new();
    let library = site.start().unwrap();
    let calls = site.disk.calls();
    drop(library);
    for call in 1..=calls {
        let what = format!("the process died at call {call} of the first start");
        let site = Site::new();
        site.disk.fail_at(call, SimFault::PowerOff);
        drop(site.start());
        site.disk.restart(Loss::Nothing);
        site.goes_on(&what);
    }
}

#[test]
fn the_power_goes_again_while_the_library_starts() {
    let script = script::random(1000, 40);
    let site = Site::new();
    assert!(site.run(&script).next.is_none());
    let calls = site.disk.calls();
    let step = if soak().is_some() { 11 } else { 61 };
    let (mut cuts, mut finished) = (0, 0);
    for call in (40..calls).step_by(step) {
        for again in (1..60).step_by(if soak().is_some() { 1 } else { 9 }) {
            let what = format!("power lost at call {call}, and {again} calls into the next start");
            let site = Site::new();
            site.disk.fail_at(call, SimFault::PowerOff);
            let run = site.run(&script);
            site.disk.restart(pattern(4, call));
            site.disk.fail_at(site.disk.calls() + again, SimFault::PowerOff);
            let library = site.start();
            finished += u64::from(library.is_some());
            drop(library);
            site.disk.restart(pattern(call as usize, again));
            // What the first start found durable, or made so, is not less than what was promised.
            site.check(&run, Loss::Random(again), &what);
            cuts += 1;
        }
    }
    println!("{cuts} second cuts, {finished} after the start had come to its end");
    assert!(finished < cuts);
}

/// The catalog goes with the power. What is made again is what was answered; also when the power goes while it is made.
#[test]
fn the_power_goes_and_the_catalog_with_it() {
    let script = script::random(2000, 60);
    let site = Site::new();
    assert!(site.run(&script).next.is_none());
    let calls = site.disk.calls();
    let step = if soak().is_some() { 1 } else { 17 };
    let (mut losses, mut again) = (0_u64, 0_u64);
    for call in (1..calls).step_by(step) {
        let (mut loss, what) =
            (pattern(call as usize, call), format!("power and catalog lost at call {call} of {calls}"));
        let site = Site::new();
        site.disk.fail_at(call, SimFault::PowerOff);
        let run = site.run(&script);
        site.disk.restart(loss);
        if losses.is_multiple_of(2) {
            site.disk.fail_at(site.disk.calls() + 1 + losses % 23, SimFault::PowerOff);
        }
        if !site.recover() {
            again += 1;
            loss = Loss::Random(call);
            site.disk.restart(pattern(call as usize + 1, call));
            assert!(site.recover(), "{what}");
        }
        // Should a cut wait that came too late.
        site.disk.restart(Loss::Nothing);
        site.check(&run, loss, &what);
        losses += 1;
    }
    println!("{losses} losses, {again} of them twice");
    assert!(losses > 20 && again * 3 > losses);
}
