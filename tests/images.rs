//! `capstan tape import` and `capstan tape export`, with a daemon that is killed and a host that reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use capstan_initiator::BlockRead;
use serde_json::Value;
use support::Library;

fn directory(library: &Library) -> PathBuf {
    library.state().parent().unwrap().to_owned()
}

fn record(data: &[u8]) -> Vec<u8> {
    let marker = u32::try_from(data.len()).unwrap().to_le_bytes();
    [&marker[..], data, &[0][..data.len() % 2], &marker].concat()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + support::TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

fn job(library: &Library, barcode: &str) -> Option<Value> {
    let jobs = library.json(&["job", "list"]);
    jobs.as_array().unwrap().iter().find(|job| job["barcode"] == barcode).cloned()
}

/// Longer than any test: it is read as zeros, and takes no room.
fn endless(library: &Library) -> PathBuf {
    let path = directory(library).join("endless");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    path
}

/// An import that has begun to lay down blocks.
fn importing(library: &Library) -> std::process::Child {
    let socket = library.state().join("capstan.sock");
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
    command.args(["--socket", socket.to_str().unwrap(), "tape", "import"]).arg(endless(library));
    command.args(["--barcode", "LONG01L8", "--slot", "40"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    until("it is laid down", || job(library, "LONG01L8").is_some_and(|job| job["done_bytes"].as_u64() > Some(0)));
    let shown = library.json(&["tape", "show", "LONG01L8"]);
    assert_eq!((&shown["state"], &shown["location"]), (&"CREATING".into(), &"slot:40".into()));
    child
}

fn cartridges(state: &Path) -> usize {
    let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    entries(state.join("cartridges/tapes")).flat_map(entries).count()
}

#[tokio::test]
async fn a_host_reads_what_was_imported_and_what_it_writes_is_exported() {
    let library = Library::start_unshipped();
    let blocks: [&[u8]; 3] = [&[1; 512], &[2; 70_001], b"x"];
    let image =
        [record(blocks[0]), vec![0; 4], record(blocks[1]), record(blocks[2]), vec![0; 8], vec![0xff; 4]].concat();
    fs::write(directory(&library).join("in.tap"), &image).unwrap();
    library.text(&["tape", "import", "in.tap", "--barcode", "host01l8"]);
    library.text(&["library", "load", "HOST01L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    let expected = [Some(blocks[0]), None, Some(blocks[1]), Some(blocks[2]), None, None];
    for object in expected {
        let read = match object {
            Some(block) => BlockRead::Block(Bytes::copy_from_slice(block)),
            None => BlockRead::Filemark,
        };
        let length = u32::try_from(object.map_or(1, <[u8]>::len)).unwrap();
        assert_eq!(tape.read_block(length).await.unwrap(), read);
    }
    assert_eq!(tape.read_block(1).await.unwrap(), BlockRead::EndOfData);
    let (code, text) = library.failure(&["tape", "export", "HOST01L8", "out.tap"]);
    assert_eq!(code, 1);
    assert!(text.starts_with("error: cartridge HOST01L8 is in drive:0: it cannot be exported there"), "{text}");
    // What the host adds is in the image.
    tape.write_block(Bytes::from_static(b"added")).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
    let out = directory(&library).join("out.tap");
    // What an export that was killed has left is no hindrance.
    fs::write(directory(&library).join("out.tap.part"), "half of it").unwrap();
    let job = library.json(&["tape", "export", "HOST01L8", "out.tap"]);
    assert_eq!((&job["state"], &job["file"]), (&"done".into(), &out.to_str().unwrap().into()));
    assert_eq!(job["transferred"], serde_json::json!({"blocks": 4, "filemarks": 3, "bytes": 70_519, "errors": 0}));
    let expected = [&image[..image.len() - 4], &record(b"added"), &[0xff; 4]].concat();
    assert!(fs::read(&out).unwrap() == expected);
    assert!(!directory(&library).join("out.tap.part").exists());
    let (code, text) = library.failure(&["tape", "export", "HOST01L8", "out.tap"]);
    assert_eq!(code, 4);
    assert!(text.contains("exists already") && text.contains("--yes"), "{text}");
    library.text(&["tape", "export", "HOST01L8", "out.tap", "--yes", "--from-filemark", "3"]);
    assert!(fs::read(&out).unwrap() == [record(b"added"), vec![0xff; 4]].concat());
    let kinds: Vec<Value> = library.json(&["events"]).as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert!(kinds.contains(&"imported".into()) && kinds.contains(&"exported".into()), "{kinds:?}");
}

#[test]
fn what_is_only_in_the_tier_is_recalled_for_an_export() {
    let mut library = Library::start();
    let blocks: Vec<u8> = (0..100_u32).flat_map(|number| record(&number.to_le_bytes().repeat(5_000))).collect();
    let image = [&blocks[..], &[0; 4], &[0xff; 4]].concat();
    fs::write(directory(&library).join("in.tap"), &image).unwrap();
    library.text(&["tape", "import", "in.tap", "--barcode", "FAR001L8"]);
    let tape = |library: &Library| library.json(&["tape", "show", "FAR001L8"]);
    until("it is shipped", || tape(&library)["tier_to"] == 101 && tape(&library)["unshipped_bytes"] == 0);
    library.stop();
    // What is in the cache may be lost at any time.
    fs::remove_dir_all(library.state().join("cache")).unwrap();
    library.start_again();
    until("it is not here", || tape(&library)["tier_to"] == 101 && tape(&library)["local_bytes"] == 0);
    library.text(&["tape", "export", "FAR001L8", "out.tap"]);
    assert!(fs::read(directory(&library).join("out.tap")).unwrap() == image);
}

#[test]
fn a_daemon_that_is_killed_in_the_middle_leaves_nothing() {
    let mut library = Library::start_unshipped();
    let before = library.json(&["tape", "list"]);
    let mut command = importing(&library);
    library.kill();
    assert_ne!(command.wait().unwrap().code(), Some(0));
    assert_eq!(cartridges(&library.state()), 11);
    library.start_again();
    assert_eq!(library.json(&["tape", "list"]), before);
    assert_eq!(cartridges(&library.state()), 10);
    let events = library.json(&["events"]);
    let told = events.as_array().unwrap().iter().find(|event| event["barcode"] == "LONG01L8").unwrap();
    assert_eq!(told["text"], "the last stop interrupted this while it was CREATING: removed");
    // Label and slot are free.
    fs::write(directory(&library).join("small"), [1; 100]).unwrap();
    library.text(&["tape", "import", "small", "--barcode", "LONG01L8", "--slot", "40"]);
    let shown = library.json(&["tape", "show", "LONG01L8"]);
    assert_eq!((&shown["state"], &shown["objects"], &shown["filemarks"]), (&"AVAILABLE".into(), &2.into(), &1.into()));
}

#[test]
fn an_interrupted_command_takes_its_import_with_it() {
    let mut library = Library::start_unshipped();
    let command = importing(&library);
    assert!(Command::new("kill").args(["-INT", &command.id().to_string()]).status().unwrap().success());
    let output = command.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: the import was cancelled\n");
    assert_eq!(job(&library, "LONG01L8").unwrap()["state"], "cancelled");
    until("it is gone", || library.command(&["tape", "show", "LONG01L8"]).status.code() == Some(1));
    assert_eq!(cartridges(&library.state()), 10);
    // A proper stop leaves nothing either.
    let mut command = importing(&library);
    library.stop();
    assert_ne!(command.wait().unwrap().code(), Some(0));
    assert_eq!(cartridges(&library.state()), 10);
    library.start_again();
    assert_eq!(library.json(&["tape", "list"]).as_array().unwrap().len(), 10);
}

#[test]
fn what_is_not_there_or_not_right_is_said_before_anything_is_begun() {
    let library = Library::start_unshipped();
    fs::create_dir(directory(&library).join("nothing")).unwrap();
    fs::write(directory(&library).join("a.tap"), "").unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["tape", "import", "no.tap", "--barcode", "A"], 1, "error: cannot read "),
        (&["tape", "import", "a.tap", "a.tap", "--format", "tap", "--barcode", "A"], 2, "is one cartridge"),
        (&["tape", "import", "nothing", "--format", "raw", "--barcode", "A"], 2, "is no regular file"),
        (&["tape", "import", "a.tap", "--block-size", "1KiB", "--barcode", "A"], 2, "only raw files"),
        (&["tape", "import", "a.tap", "--block-size", "9MiB", "--barcode", "A"], 2, "blocks have 1 to 8388608 bytes"),
        (&["tape", "import", "a.tap", "--barcode", "CAP001L8"], 1, "there is a cartridge CAP001L8 already"),
        (&["tape", "export", "CAP001L8", "no/where.tap"], 2, "there is no directory"),
        (&["tape", "export", "CAP001L8", "x", "--from-filemark", "2", "--to-filemark", "1"], 2, "end before it begins"),
    ];
    for (words, expected, text) in cases {
        let (code, said) = library.failure(words);
        assert!(code == expected && said.contains(text), "{words:?}: {code} {said}");
    }
    assert_eq!(library.text(&["job", "list"]), "There are no jobs.\n");
    // An empty image is an empty tape.
    let job = library.json(&["tape", "import", "a.tap", "--barcode", "A", "--no-wait"]);
    assert_eq!(job["kind"], "import");
    library.text(&["job", "wait", "1"]);
    assert_eq!(library.json(&["tape", "show", "A"])["objects"], 0);
}
