//! What the daemon tells of what happens: by command, as it happens, and in its log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde_json::Value;
use support::Library;

fn kinds(library: &Library) -> Vec<String> {
    let events = library.json(&["events"]);
    events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_operators_do_is_told() {
    let library = Library::start();
    assert_eq!(kinds(&library), Vec::<String>::new());
    library.text(&["tape", "create", "--barcode", "NEW"]);
    library.text(&["tape", "protect", "NEW"]);
    library.text(&["tape", "unprotect", "NEW"]);
    library.text(&["library", "load", "NEW", "3"]);
    library.text(&["library", "unload", "3"]);
    library.text(&["library", "move", "slot:1", "io:2"]);
    library.text(&["tape", "erase", "NEW", "--yes"]);
    library.text(&["tape", "delete", "NEW", "--yes"]);
    assert_eq!(
        kinds(&library),
        ["created", "protected", "unprotected", "loaded", "unloaded", "moved", "erased", "deleted"]
    );
    let events = library.json(&["events", "--since", "3"]);
    let loaded = &events[0];
    assert_eq!(
        (&loaded["sequence"], &loaded["severity"], &loaded["drive"], &loaded["barcode"], &loaded["text"]),
        (&4.into(), &"info".into(), &3.into(), &"NEW".into(), &"slot:11 -> drive:3, for an operator".into())
    );
    let text = library.text(&["events", "--since", "5"]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.contains("Z  info     moved          CAP001L8 slot:1 -> io:2, for an operator\n"), "{text}");
    assert!(library.log().contains("slot:11 -> drive:3, for an operator event=\"loaded\" drive=3 barcode=\"NEW\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_and_a_death_are_told() {
    let mut library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from_static(b"not synchronised")).await.unwrap();
    assert_eq!(kinds(&library), ["loaded", "logged_in"]);
    drop(tape);
    library.kill();
    library.start_again();
    // Opened by the drive's own thread, while the daemon says that it is ready.
    let mut seen = kinds(&library);
    for _ in 0..200 {
        if seen.len() >= 2 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        seen = kinds(&library);
    }
    seen.sort();
    assert_eq!(seen, ["position_lost", "recovered"]);
    let events = library.json(&["events"]);
    let recovered = events.as_array().unwrap().iter().find(|event| event["kind"] == "recovered").unwrap();
    assert!(
        recovered["text"].as_str().unwrap().contains("objects 1, dropped segments 0, dropped bytes 0"),
        "{recovered}"
    );
    assert_eq!((&recovered["drive"], &recovered["barcode"]), (&0.into(), &"CAP001L8".into()));
}

#[test]
fn events_are_followed() {
    let library = Library::start();
    library.text(&["tape", "create", "--barcode", "BEFORE"]);
    let mut follower = Command::new(env!("CARGO_BIN_EXE_capstan"))
        .arg("--socket")
        .arg(library.state().join("capstan.sock"))
        .args(["events", "--follow", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["barcode"], "BEFORE");
    library.text(&["tape", "create", "--barcode", "AFTER"]);
    let event = next();
    assert_eq!(
        (&event["kind"], &event["barcode"], &event["sequence"]),
        (&"created".into(), &"AFTER".into(), &2.into())
    );
    follower.kill().unwrap();
    follower.wait().unwrap();
}
