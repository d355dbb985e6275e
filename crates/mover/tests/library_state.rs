//! The state of the library is in the tier soon after each change, and an older copy of a library knows that it is one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use capstan_mover::{LibraryImage, NoticeKind};
use capstan_tier::Verb;
use capstan_tier::names::Names;
use rig::{GATEWAY, Rig, Running};
use tokio::sync::watch;

type Sender = watch::Sender<Option<LibraryImage>>;

fn image(change: u64) -> LibraryImage {
    LibraryImage { change, bytes: format!("after change {change}").into_bytes().into() }
}

fn rig(change: u64) -> (Rig, Sender) {
    let (sender, receiver) = watch::channel(Some(image(change)));
    (Rig { library: Some(receiver), ..Rig::new() }, sender)
}

fn put(sender: &Sender, change: u64) {
    sender.send_replace(Some(image(change)));
}

/// The changes whose states are in the tier.
fn there(rig: &Rig) -> Vec<u64> {
    let names = Names::default();
    let parse = |key: &String| names.parse_library_state(GATEWAY, key);
    let objects = rig.tier.objects();
    for (key, bytes) in &objects {
        if let Some(change) = parse(key) {
            assert_eq!(bytes, &image(change).bytes);
        }
    }
    objects.keys().filter_map(parse).collect()
}

fn fenced(rig: &Rig, running: &Running) -> String {
    running.until("fenced", || !rig.told(NoticeKind::LibraryFenced).is_empty());
    let notes = running.operations.tiers()[0].notes.clone();
    let told = rig.told(NoticeKind::LibraryFenced);
    assert_eq!((told.len(), notes.contains(&told[0])), (1, true), "status says so too");
    told[0].clone()
}

#[test]
fn the_newest_state_is_shipped_and_the_last_eight_stay() {
    let (rig, sender) = rig(3);
    let running = rig.start();
    running.until("shipped", || there(&rig) == [3]);
    for change in 4..20 {
        put(&sender, change);
        running.until("shipped", || there(&rig).last() == Some(&change));
    }
    running.until("deleted", || there(&rig).len() == 8);
    assert_eq!(there(&rig), (12..20).collect::<Vec<_>>());
    running.stop();
    // The next start says nothing new, and goes on.
    let running = rig.start();
    put(&sender, 20);
    running.until("shipped", || there(&rig).last() == Some(&20));
    running.stop();
    assert_eq!(rig.told(NoticeKind::LibraryFenced), Vec::<String>::new());
}

#[test]
fn many_changes_at_once_are_one_object_and_a_tier_that_is_away_gets_the_newest() {
    let (rig, sender) = rig(1);
    let running = rig.start();
    running.until("shipped", || there(&rig) == [1]);
    let key = Names::default().library_state(GATEWAY, 2);
    rig.tier.deny_key(Some(&key));
    put(&sender, 2);
    running.until("told", || !rig.told(NoticeKind::NotShipped).is_empty());
    (3..200).for_each(|change| put(&sender, change));
    running.until("shipped", || there(&rig).last() == Some(&199));
    let made = rig.tier.requests().iter().filter(|it| it.verb == Verb::Create && it.key.contains("/state/")).count();
    assert!(made < 100 && there(&rig).len() <= 8, "{made}");
    running.stop();
}

#[test]
fn an_older_copy_knows_it_at_the_start_and_ships_no_state() {
    for (there_before, said) in
        [(Some(9), "change 9 of it is there, and 7 is the last here"), (None, "is not what change 7")]
    {
        let (rig, sender) = rig(7);
        let names = Names::default();
        match there_before {
            Some(change) => rig.tier.put(&names.library_state(GATEWAY, change), Some(image(change).bytes)),
            None => rig.tier.put(&names.library_state(GATEWAY, 7), Some(vec![1, 2].into())),
        }
        let running = rig.start();
        let told = fenced(&rig, &running);
        assert!(told.contains(said), "{told}");
        let before = rig.tier.objects();
        put(&sender, 30);
        // Cartridges go on, as long as nobody else has them.
        running.create();
        running.load();
        running.write(0..5);
        running.shipped_to(6);
        running.stop();
        let states = |objects: &std::collections::BTreeMap<String, bytes::Bytes>| {
            objects.keys().filter(|key| key.contains("/state/")).cloned().collect::<Vec<_>>()
        };
        assert_eq!(states(&rig.tier.objects()), states(&before));
    }
}

#[test]
fn a_library_that_is_taken_over_while_it_runs_learns_it_with_its_next_change() {
    let (rig, sender) = rig(7);
    let running = rig.start();
    running.until("shipped", || there(&rig) == [7]);
    rig.tier.put(&Names::default().library_state(GATEWAY, 8), Some(vec![1, 2].into()));
    put(&sender, 8);
    assert!(fenced(&rig, &running).contains("/state/0000000008 is there"));
    running.stop();
}
