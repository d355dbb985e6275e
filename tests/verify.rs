//! `capstan tape verify` and `capstan job`, against a daemon and without one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;
use support::Library;

/// A library whose first cartridge holds four blocks and a filemark, and is back in its slot.
async fn written() -> Library {
    let library = Library::start_unshipped();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    for number in 0..4 {
        tape.write_block(Bytes::from(vec![number; 1000])).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    library.text(&["library", "unload", "0"]);
    library
}

fn segment(library: &Library) -> PathBuf {
    let id = library.json(&["tape", "show", "CAP001L8"])["id"].as_str().unwrap().to_owned();
    library.state().join("cartridges/tapes").join(&id[..2]).join(&id).join("000000/000000001.seg")
}

fn flip(library: &Library, offset: usize) -> PathBuf {
    let path = segment(library);
    let mut bytes = fs::read(&path).unwrap();
    bytes[offset] ^= 0x40;
    fs::write(&path, bytes).unwrap();
    path
}

/// The third block.
const THIRD: usize = 1024 + 2 * 1048;

#[tokio::test]
async fn what_is_good_is_good_and_what_is_damaged_is_named() {
    let library = written().await;
    assert_eq!(
        library.text(&["tape", "verify", "cap001l8", "CAP002L8"]),
        "CAP001L8  good: 5 objects (1 filemark), 3.9 KiB in 2 files\nCAP002L8  good: 0 objects (0 filemarks), 0 B in 1 file\n"
    );
    let path = flip(&library, THIRD + 48 + 500);
    let output = library.command(&["tape", "verify", "CAP001L8"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "CAP001L8  DAMAGED: 1 of its 5 objects (1 filemark) cannot be read (2 files)");
    assert_eq!(lines[1], format!("  record: {}, bytes {THIRD} to {}", path.display(), THIRD + 1047));
    assert!(lines[2].starts_with("    checksum is 0x"), "{shown}");
    assert_eq!(lines[3..], ["    object 2 lost", "  readable: 0 to 1, 3 to 4"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "error: damage was found\n  next: docs/recovery.md says what can be done\n");

    // All but what is in a drive; in JSON.
    library.text(&["library", "load", "CAP003L8", "1"]);
    let output = library.command(&["tape", "verify", "--all", "--json"]);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0));
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results: Vec<&str> = all.as_array().unwrap().iter().map(|one| one["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["damaged", "good", "skipped", "good", "good", "good", "good", "good", "good", "good"]);
    assert_eq!(all[2]["why"], "it is in drive:1");
    let finding = &all[0]["report"]["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["offset"], &finding["length"]),
        (&"record".into(), &THIRD.into(), &1048.into())
    );
    assert_eq!(finding["objects"], serde_json::json!({ "first": 2, "last": 2 }));
    // A host finds the same, and gets what is before and behind it.
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    assert_eq!(tape.read_block(1000).await.unwrap(), capstan_initiator::BlockRead::Block(Bytes::from(vec![0; 1000])));
    tape.read_block(1000).await.unwrap();
    let error = tape.read_block(1000).await.unwrap_err();
    assert_eq!(error.sense().map(|sense| sense.triple()), Some((3, 0x11, 0)));
    assert_eq!(tape.read_block(1000).await.unwrap(), capstan_initiator::BlockRead::Block(Bytes::from(vec![3; 1000])));
    let (code, text) = library.failure(&["tape", "verify", "CAP001L8", "CAP002L8"]);
    assert_eq!((code, text.as_str()), (1, "error: not all was verified\n"));
    let (code, text) = library.failure(&["tape", "verify", "NONE"]);
    assert!(code == 1 && text.starts_with("error: there is no cartridge NONE"), "{text}");
}

#[tokio::test]
async fn jobs_are_listed_shown_and_told_as_events() {
    let library = written().await;
    assert_eq!(library.text(&["job", "list"]), "There are no jobs.\n");
    flip(&library, 3);
    library.failure(&["tape", "verify", "CAP001L8"]);
    library.text(&["tape", "verify", "CAP002L8"]);
    let jobs = library.json(&["job", "list"]);
    let shown: Vec<(u64, &str, bool)> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (job["id"].as_u64().unwrap(), job["state"].as_str().unwrap(), job["report"]["good"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(shown, [(1, "done", false), (2, "done", true)]);
    let text = library.text(&["job", "show", "1"]);
    assert!(text.contains("CAP001L8  DAMAGED: all of its 5 objects (1 filemark) can be read (2 files)"), "{text}");
    assert!(text.contains("; the other copy is good"), "{text}");
    assert_eq!(library.json(&["job", "cancel", "2"])["state"], "done", "what has ended stays");
    let (code, text) = library.failure(&["job", "show", "9"]);
    assert_eq!(
        (code, text.as_str()),
        (1, "error: there is no job 9\n  next: `capstan job list` shows what there is\n")
    );
    let events = library.json(&["events"]);
    let damaged = events.as_array().unwrap().iter().find(|event| event["kind"] == "damaged").unwrap();
    assert_eq!((&damaged["barcode"], &damaged["severity"]), (&"CAP001L8".into(), &"error".into()));
}

#[tokio::test]
async fn without_a_daemon_the_same_is_found() {
    let mut library = written().await;
    flip(&library, THIRD + 48 + 500);
    let state = library.state();
    let (code, text) = library.failure(&["tape", "verify", "--all", "--state", state.to_str().unwrap()]);
    assert!(code == 1 && text.contains("is in use by another capstan"), "{text}");
    let online = library.command(&["tape", "verify", "CAP001L8", "CAP004L8", "--json"]);
    library.stop();
    let offline =
        library.command(&["tape", "verify", "CAP001L8", "CAP004L8", "--json", "--state", state.to_str().unwrap()]);
    assert_eq!(offline.status.code(), Some(1));
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(value(&offline.stdout), value(&online.stdout));
    let all = library.command(&["tape", "verify", "--all", "--json", "--state", state.to_str().unwrap()]);
    assert_eq!(value(&all.stdout).as_array().unwrap().len(), 10);
    let (code, text) = library.failure(&["tape", "verify", "NONE", "--state", state.to_str().unwrap()]);
    assert!(code == 1 && text.contains("there is no cartridge NONE"), "{text}");
}

#[tokio::test]
async fn an_interrupted_command_takes_its_job_with_it() {
    let library = written().await;
    // A long file, to have something that lasts: nothing in it is a record.
    let long = fs::OpenOptions::new().append(true).open(segment(&library)).unwrap();
    long.set_len(256 << 20).unwrap();
    let spawn = |barcode: &str| {
        let socket = library.state().join("capstan.sock");
        let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
        command.args(["--socket", socket.to_str().unwrap(), "tape", "verify", barcode]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let state = |barcode: &str| {
        let jobs = library.json(&["job", "list"]);
        let found = jobs.as_array().unwrap().iter().find(|job| job["barcode"] == barcode);
        found.map_or(String::new(), |job| job["state"].as_str().unwrap().to_owned())
    };
    let wait = |barcode: &str, wanted: &str| {
        let deadline = Instant::now() + support::TIMEOUT;
        while state(barcode) != wanted {
            assert!(Instant::now() < deadline, "{barcode} is {}", state(barcode));
        }
    };
    let mut first = spawn("CAP001L8");
    wait("CAP001L8", "running");
    let second = spawn("CAP010L8");
    wait("CAP010L8", "waiting");
    assert!(Command::new("kill").args(["-INT", &second.id().to_string()]).status().unwrap().success());
    let output = second.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "CAP010L8  cancelled: interrupted\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: not all was verified\n");
    assert_eq!(state("CAP010L8"), "cancelled");
    // A robot that wants the cartridge goes first.
    if state("CAP001L8") == "running" {
        library.text(&["library", "load", "CAP001L8", "2"]);
        assert_eq!(state("CAP001L8"), "cancelled");
    }
    assert_eq!(first.wait().unwrap().code(), Some(1));
}

#[test]
fn what_to_verify_has_to_be_said() {
    let directory = tempfile::tempdir().unwrap();
    for words in [&["tape", "verify"][..], &["tape", "verify", "A", "--all"]] {
        assert_eq!(support::capstan(directory.path(), words).status.code(), Some(2), "{words:?}");
    }
}
