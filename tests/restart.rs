//! What a library keeps when its daemon ends, in good order or not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use bytes::Bytes;
use capstan_initiator::BlockRead;
use serde_json::Value;
use support::Library;

/// What is where, and what holds for each cartridge.
fn inventory(library: &Library) -> (Value, Value) {
    (library.json(&["library", "show"]), library.json(&["tape", "list"]))
}

fn arrange(library: &Library) {
    library.text(&["tape", "create", "--count", "2", "--prefix", "NIGHT", "--size", "1GiB"]);
    library.text(&["tape", "create", "--barcode", "special"]);
    library.text(&["tape", "protect", "CAP002L8"]);
    library.text(&["library", "move", "slot:5", "io:2"]);
    library.text(&["library", "move", "slot:6", "slot:77"]);
    library.text(&["library", "load", "CAP001L8", "3"]);
    library.text(&["tape", "delete", "CAP009L8", "--yes"]);
}

#[test]
fn a_stop_keeps_what_is_where_and_protection() {
    let mut library = Library::start();
    arrange(&library);
    let before = inventory(&library);
    assert_eq!(before.1.as_array().unwrap().len(), 12);
    library.stop();
    assert!(!library.state().join("capstan.sock").exists());
    library.start_again();
    assert_eq!(inventory(&library), before);
}

#[test]
fn a_kill_keeps_what_is_where_and_protection() {
    let mut library = Library::start();
    arrange(&library);
    let before = inventory(&library);
    library.kill();
    assert!(library.state().join("capstan.sock").exists(), "a killed daemon leaves its socket behind");
    let (code, text) = library.failure(&["status"]);
    assert_eq!(code, 3, "{text}");
    library.start_again();
    assert_eq!(inventory(&library), before);
}

#[tokio::test]
async fn serial_numbers_stay() {
    let mut library = Library::start();
    let serials = |library: &Library| -> Vec<String> {
        let drives = library.json(&["drive", "list"]);
        drives.as_array().unwrap().iter().map(|drive| drive["serial"].as_str().unwrap().to_owned()).collect()
    };
    let before = serials(&library);
    let mut distinct = before.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 10);
    assert_eq!(library.drive(4).await.serial_number().await.unwrap(), before[4]);
    library.stop();
    library.start_again();
    assert_eq!(serials(&library), before);
}

#[tokio::test]
async fn after_a_kill_the_position_is_lost_until_the_tape_is_rewound() {
    let mut library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from_static(b"first")).await.unwrap();
    tape.write_filemarks(1, false).await.unwrap();
    tape.write_block(Bytes::from_static(b"second")).await.unwrap();
    library.kill();
    library.start_again();

    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    assert!(tape.read_position().await.unwrap().unknown);
    let lost = Some((0x3, 0x3b, 0x00));
    assert_eq!(tape.read_block(100).await.unwrap_err().sense().map(|sense| sense.triple()), lost);
    let stray = tape.write_filemarks(1, false).await.unwrap_err();
    assert_eq!(stray.sense().map(|sense| sense.triple()), lost);
    let stray = tape.write_block(Bytes::from_static(b"stray")).await.unwrap_err();
    assert_eq!(stray.sense().map(|sense| sense.triple()), lost);

    tape.rewind().await.unwrap();
    assert_eq!(tape.read_block(100).await.unwrap(), BlockRead::Block(Bytes::from_static(b"first")));
    assert_eq!(tape.read_block(100).await.unwrap(), BlockRead::Filemark);
    assert_eq!(tape.read_block(100).await.unwrap(), BlockRead::Block(Bytes::from_static(b"second")));
    assert_eq!(tape.read_block(100).await.unwrap(), BlockRead::EndOfData);
}

#[tokio::test]
async fn a_stop_with_a_host_logged_in_and_a_tape_loaded_is_clean() {
    let mut library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from(vec![7; 1 << 20])).await.unwrap();
    library.stop();
    assert!(tape.test_unit_ready().await.is_err(), "the session ended with the daemon");
    library.start_again();
    let shown = library.json(&["tape", "show", "CAP001L8"]);
    assert_eq!(
        (&shown["location"], &shown["used"], &shown["durable_to"]),
        (&"drive:0".into(), &1_048_576.into(), &1.into())
    );
}
