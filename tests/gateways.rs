//! Two gateways, two processes, one directory tier: what one has the other sees, and gets it when it is given, or when the
//! other is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::path::Path;
use std::sync::Barrier;

use bytes::Bytes;
use capstan_initiator::{BlockRead, Session};
use capstan_scsi::sam::Lun;
use support::{INITIATOR, Library, TIMEOUT, until};

fn gateway(name: &str, prefix: &str, tier: &Path) -> Library {
    let config = format!(
        "[gateway]\nname = \"{name}\"\n[[tier]]\nname = \"nas\"\nkind = \"dir\"\npath = \"{}\"\n",
        tier.display()
    );
    let library = Library::start_with(&config);
    // The first cartridges of both have the same barcodes; these have not.
    library.text(&["tape", "create", "--count", "2", "--prefix", prefix, "--size", "1GiB"]);
    library
}

async fn drive(library: &Library, name: &str, index: u8) -> capstan_initiator::Tape {
    let target = format!("iqn.2026-11.io.capstan:{name}.drive-{index:02}");
    let login = capstan_initiator::Login::new(INITIATOR, &target);
    let session = Session::log_in(library.portal, &login, TIMEOUT).await.unwrap();
    let tape = capstan_initiator::Tape::new(capstan_initiator::Device::new(session, Lun::flat(0), TIMEOUT));
    tape.wait_ready().await.unwrap();
    tape
}

fn block(number: u8) -> Bytes {
    vec![number; 3000].into()
}

async fn write(library: &Library, name: &str, barcode: &str, blocks: std::ops::Range<u8>) {
    library.text(&["library", "load", barcode, "0"]);
    let tape = drive(library, name, 0).await;
    for number in blocks {
        tape.write_block(block(number)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
}

async fn expect(library: &Library, name: &str, barcode: &str, blocks: std::ops::Range<u8>) {
    library.text(&["library", "load", barcode, "1"]);
    let tape = drive(library, name, 1).await;
    for number in blocks {
        assert_eq!(tape.read_block(5000).await.unwrap(), BlockRead::Block(block(number)), "block {number}");
    }
    drop(tape);
    library.text(&["library", "unload", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cartridge_goes_from_one_gateway_to_the_other_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let tier = directory.path().join("nas");
    let (one, two) = (gateway("gw1", "ONE", &tier), gateway("gw2", "TWO", &tier));
    write(&one, "gw1", "ONE001L8", 0..9).await;
    let foreign = |library: &Library, barcode: &str| {
        let all = library.json(&["tape", "list", "--foreign"]);
        all.as_array().unwrap().iter().find(|tape| tape["barcode"] == barcode).cloned()
    };
    until(&two, "seen", || foreign(&two, "ONE001L8").is_some_and(|tape| tape["used"] == 27_000));
    let seen = foreign(&two, "ONE001L8").unwrap();
    assert_eq!(
        (&seen["owner_name"], &seen["size"], &seen["handed_over"]),
        (&"gw1".into(), &(1 << 30).into(), &false.into())
    );
    assert!(two.text(&["tape", "list", "--foreign"]).contains("ONE001L8  gw1"));
    let (code, told) = two.failure(&["tape", "adopt", "ONE001L8"]);
    assert!(
        code == 4 && told.contains("has not given it away") && told.contains("`capstan tape handover ONE001L8`"),
        "{told}"
    );
    // Taking by force has to be meant.
    let (code, told) = two.failure(&["tape", "adopt", "ONE001L8", "--force"]);
    assert!(code == 4 && told.contains("not done without --yes"), "{told}");

    one.text(&["library", "load", "ONE001L8", "0"]);
    let (code, told) = one.failure(&["tape", "handover", "ONE001L8"]);
    assert!(code == 1 && told.contains("is in drive:0: it cannot be handed over there"), "{told}");
    one.text(&["library", "unload", "0"]);
    assert_eq!(one.text(&["tape", "handover", "ONE001L8", "--to", "gw2"]), "Given away: ONE001L8\n");
    assert_eq!(one.failure(&["tape", "show", "ONE001L8"]).0, 1, "it is here no more");
    assert_eq!(foreign(&one, "ONE001L8").unwrap()["handed_over"], true);

    let adopted = two.json(&["tape", "adopt", "ONE001L8", "--slot", "77"]);
    assert_eq!(
        (&adopted["location"], &adopted["objects"], &adopted["state"]),
        (&"slot:77".into(), &10.into(), &"AVAILABLE".into())
    );
    assert_eq!(foreign(&two, "ONE001L8"), None);
    expect(&two, "gw2", "ONE001L8", 0..9).await;
    write(&two, "gw2", "TWO001L8", 20..25).await;
    write(&two, "gw2", "ONE001L8", 40..45).await;
    until(&two, "shipped", || two.json(&["tape", "show", "ONE001L8"])["tier_to"] == 6);

    two.text(&["tape", "handover", "ONE001L8", "TWO001L8"]);
    for barcode in ["ONE001L8", "TWO001L8"] {
        one.json(&["tape", "adopt", barcode]);
    }
    expect(&one, "gw1", "ONE001L8", 40..45).await;
    expect(&one, "gw1", "TWO001L8", 20..25).await;
    let kinds = |library: &Library| -> Vec<String> {
        let events = library.json(&["events"]);
        events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&one).iter().filter(|kind| *kind == "adopted").count(), 2);
    assert_eq!(kinds(&two).iter().filter(|kind| *kind == "handed_over").count(), 2);
    for library in [&one, &two] {
        assert!(!kinds(library).contains(&"fenced".to_owned()), "{:?}", kinds(library));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_by_force_is_a_fork_on_the_gateway_that_runs_after_all() {
    let directory = tempfile::tempdir().unwrap();
    let tier = directory.path().join("nas");
    let (mut one, two) = (gateway("gw1", "ONE", &tier), gateway("gw2", "TWO", &tier));
    write(&one, "gw1", "ONE001L8", 0..9).await;
    until(&one, "shipped", || one.json(&["tape", "show", "ONE001L8"])["tier_to"] == 10);
    // It is away, with something that it has not shipped.
    one.text(&["tier", "pause", "nas"]);
    one.text(&["library", "load", "ONE001L8", "0"]);
    let tape = drive(&one, "gw1", 0).await;
    for number in 0..10 {
        let read = tape.read_block(5000).await.unwrap();
        assert_eq!(read == BlockRead::Block(block(number)), number < 9);
    }
    for number in 50..55 {
        tape.write_block(block(number)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    one.kill();
    let adopted = two.json(&["tape", "adopt", "ONE001L8", "--force", "--yes"]);
    assert_eq!(adopted["objects"], 10);
    expect(&two, "gw2", "ONE001L8", 0..9).await;

    one.start_again();
    one.text(&["tier", "resume", "nas"]);
    until(&one, "fork", || one.json(&["tape", "show", "ONE001L8"])["state"] == "FORK");
    assert!(one.text(&["events"]).contains(" forked "));
    until(&one, "loaded", || one.json(&["drive", "list"])[0]["state"] == "loaded");
    let tape = drive(&one, "gw1", 0).await;
    tape.rewind().await.unwrap();
    for number in (0..9).chain([200]).chain(50..55) {
        let read = tape.read_block(5000).await.unwrap();
        assert_eq!(read == BlockRead::Block(block(number)), number != 200, "block {number}");
    }
    // DATA PROTECT, write protected.
    let refused = tape.write_block(block(1)).await.unwrap_err().to_string();
    assert!(refused.contains("7/27/00") || refused.to_lowercase().contains("protect"), "{refused}");
    drop(tape);
    one.text(&["library", "unload", "0"]);
    let (code, told) = one.failure(&["tape", "handover", "ONE001L8"]);
    assert!(code == 4 && told.contains("it is not ours to give"), "{told}");
    until(&one, "kept", || one.json(&["tape", "show", "ONE001L8"])["state"] == "FORK");
}

/// Four cartridges that are given to whoever wants them, and two that want all of them at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_adopt_a_cartridge_at_the_same_time_one_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let tier = directory.path().join("nas");
    let one = gateway("gw1", "ONE", &tier);
    one.text(&["tape", "create", "--count", "2", "--prefix", "ONE", "--size", "1GiB"]);
    let takers = [gateway("gw2", "TWO", &tier), gateway("gw3", "TRI", &tier)];
    let barcodes: Vec<String> = (1..=4).map(|number| format!("ONE{number:03}L8")).collect();
    for (number, barcode) in (0..).zip(&barcodes) {
        write(&one, "gw1", barcode, number..number + 3).await;
        one.text(&["tape", "handover", barcode]);
    }
    let mut won = [0, 0];
    for (number, barcode) in (0..).zip(&barcodes) {
        let start = Barrier::new(takers.len());
        let outputs = std::thread::scope(|scope| {
            let adopt = |taker| {
                start.wait();
                Library::command(taker, &["tape", "adopt", barcode])
            };
            let threads = takers.each_ref().map(|taker| scope.spawn(move || adopt(taker)));
            threads.map(|thread| thread.join().unwrap())
        });
        let winners: Vec<usize> = (0..2).filter(|taker| outputs[*taker].status.success()).collect();
        let [winner] = winners[..] else { panic!("{barcode}: {outputs:?}") };
        won[winner] += 1;
        let loser = &takers[1 - winner];
        let told = String::from_utf8_lossy(&outputs[1 - winner].stderr).into_owned();
        assert!(told.contains("another gateway") || told.contains("has not given it away"), "{told}");
        assert_eq!(loser.failure(&["tape", "show", barcode]).0, 1, "nothing of it is there");
        let name = ["gw2", "gw3"][winner];
        expect(&takers[winner], name, barcode, number..number + 3).await;
        write(&takers[winner], name, barcode, number + 100..number + 101).await;
    }
    println!("gw2 has {} of them, gw3 {}", won[0], won[1]);
}
