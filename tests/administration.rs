//! The commands against a running daemon: what they do, what they refuse, and what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bytes::Bytes;
use support::{Library, capstan, failure};

#[test]
fn a_portal_beyond_loopback_is_refused_and_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (code, text) = failure(&capstan(directory.path(), &["serve", "--listen", "0.0.0.0:0", "--state", "state"]));
    assert_eq!(code, 4);
    assert_eq!(
        text,
        "error: the portal 0.0.0.0:0 would let anyone who reaches it read and overwrite every cartridge\n       \
         allowed: a loopback address, or initiators that authenticate (`capstan init --listen ADDRESS:PORT \
         --initiator IQN` writes such a configuration), or iscsi.allow_unauthenticated = true (serve \
         --allow-unauthenticated)\n\
         1 mistake\n"
    );
    assert!(!directory.path().join("state").exists());
}

#[test]
fn a_portal_beyond_loopback_opens_when_it_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_capstan"))
        .args(["serve", "--json", "--listen", "0.0.0.0:0", "--allow-unauthenticated", "--state", "state"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(line.contains("\"portal\":[\"0.0.0.0:"), "{line}");
}

#[test]
fn a_second_daemon_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let library = Library::start();
    let (code, text) = failure(&library.serve().stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(code, 1);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        serde_json::json!({ "error": {
            "kind": "failed",
            "message": "the library cannot be started",
            "why": format!("{} is in use by another capstan", library.state().display()),
            "next": "stop the other daemon, or use another state directory"
        } })
    );
    assert_eq!(library.json(&["status"])["tapes"]["total"], 10);
}

#[test]
fn the_first_start_makes_what_the_configuration_says() {
    let library = Library::start_with(
        "[gateway]\nname = \"small\"\n[library]\ndrives = 2\nslots = 4\nio_slots = 1\ntape_size = \"256MiB\"\n",
    );
    let status = library.json(&["status"]);
    assert_eq!(status["gateway"], "small");
    assert_eq!(status["drives"].as_array().unwrap().len(), 2);
    assert_eq!(status["targets"][2]["name"], "iqn.2026-11.io.capstan:small.drive-01");
    let tapes = library.json(&["tape", "list"]);
    assert_eq!(tapes.as_array().unwrap().len(), 4);
    assert_eq!(tapes[3]["barcode"], "CAP004L8");
    assert_eq!(tapes[3]["size"], 256 << 20);
}

#[test]
fn status_has_the_fields_that_programs_rely_on() {
    let library = Library::start_unshipped();
    let status = library.json(&["status"]);
    assert_eq!(status["tapes"], serde_json::json!({ "total": 10, "by_state": { "AVAILABLE": 10 } }));
    assert!(status["upload_buffer"]["size"].is_u64() && status["tiers"].is_array(), "{status}");
    // The metadata of ten cartridges.
    assert_eq!((&status["upload_buffer"]["used"], &status["cache"]["used"]), (&10_240.into(), &0.into()));
    assert!(status["cache"]["size"].as_u64().unwrap() > 0);
    assert_eq!((&status["unshipped_bytes"], &status["oldest_unshipped_seconds"]), (&0.into(), &0.into()));
    let drive = &status["drives"][9];
    assert_eq!(
        (&drive["index"], &drive["barcode"], &drive["state"], &drive["write_bytes"], &drive["read_bytes"]),
        (&9.into(), &serde_json::Value::Null, &"empty".into(), &0.into(), &0.into())
    );
    let tape = library.json(&["tape", "show", "cap001l8"]);
    let fields =
        ["barcode", "state", "location", "size", "used", "durable_to", "tier_to"].map(|name| tape[name].clone());
    assert_eq!(
        serde_json::json!(fields),
        serde_json::json!(["CAP001L8", "AVAILABLE", "slot:1", 10_u64 << 30, 0, 0, 0])
    );
}

#[test]
fn numbers_of_mtx_count_import_export_slots_after_storage_slots() {
    let library = Library::start();
    let elements = library.json(&["library", "show"]);
    let mtx = |name: &str| {
        let found = elements.as_array().unwrap().iter().find(|element| element["name"] == name);
        (found.unwrap()["mtx"].as_u64().unwrap(), found.unwrap()["address"].as_u64().unwrap())
    };
    assert_eq!(mtx("slot:1"), (1, 1000));
    assert_eq!(mtx("slot:100"), (100, 1099));
    assert_eq!(mtx("io:1"), (101, 10));
    assert_eq!(mtx("io:10"), (110, 19));
    assert_eq!(mtx("drive:0"), (0, 500));
}

#[test]
fn cartridges_are_moved_loaded_unloaded_and_imported() {
    let library = Library::start();
    assert_eq!(library.text(&["library", "load", "CAP003L8"]), "CAP003L8: slot:3 -> drive:0\n");
    assert_eq!(library.text(&["library", "load", "CAP004L8", "drive:7"]), "CAP004L8: slot:4 -> drive:7\n");
    assert_eq!(library.text(&["library", "unload", "0"]), "CAP003L8: drive:0 -> slot:3\n");
    assert_eq!(library.text(&["library", "move", "slot:1", "io:10"]), "CAP001L8: slot:1 -> io:10\n");
    assert_eq!(library.text(&["library", "import", "CAP001L8"]), "CAP001L8: io:10 -> slot:1\n");
    let shown = library.text(&["library", "show"]);
    let line = shown.lines().find(|line| line.starts_with("drive:7")).unwrap();
    assert_eq!(line, "drive:7    7      507  CAP004L8  slot:4");
}

#[test]
fn what_does_not_work_says_why_and_what_next() {
    let library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    library.text(&["tape", "protect", "CAP002L8"]);
    let cases: [(&[&str], i32, &str); 10] = [
        (
            &["tape", "show", "NONE"],
            1,
            "error: there is no cartridge NONE\n  next: `capstan tape list` shows what there is\n",
        ),
        (
            &["tape", "create", "--barcode", "CAP001L8"],
            1,
            "error: there is a cartridge CAP001L8 already\n  \
             next: choose another barcode, or delete that cartridge first\n",
        ),
        (&["tape", "create", "--size", "1MiB"], 2, "error: 1 MiB is too small for a cartridge: at least 128 MiB\n"),
        (
            &["tape", "erase", "CAP001L8", "--yes"],
            1,
            "error: cartridge CAP001L8 is in drive:0: it cannot be erased there\n  \
             next: unload it first: `capstan library unload 0`\n",
        ),
        (
            &["tape", "delete", "CAP002L8", "--yes"],
            4,
            "error: cartridge CAP002L8 is write-protected: it cannot be deleted\n  \
             next: lift it first: `capstan tape unprotect CAP002L8`\n",
        ),
        (
            &["tape", "delete", "CAP003L8"],
            4,
            "error: this would delete CAP003L8 for ever, with 0 B of data: not done without --yes\n  \
             why:  there is no terminal to ask at\n  next: give --yes if you mean it\n",
        ),
        (
            &["library", "load", "CAP003L8", "0"],
            1,
            "error: drive:0 holds cartridge CAP001L8\n  next: `capstan library show` shows what is where\n",
        ),
        (
            &["library", "unload", "1"],
            1,
            "error: drive:1 is empty\n  next: `capstan library show` shows what is where\n",
        ),
        (
            &["drive", "show", "10"],
            1,
            "error: there is no drive 10\n  why:  the library has 10 drives, numbered from 0\n  \
             next: `capstan drive list` shows what there is\n",
        ),
        (
            &["session", "drop", "99", "--yes"],
            1,
            "error: there is no session 99\n  next: `capstan session list` shows what there is\n",
        ),
    ];
    for (words, code, text) in cases {
        assert_eq!(library.failure(words), (code, text.to_owned()), "{words:?}");
    }
    assert_eq!(library.json(&["tape", "list"]).as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn protection_is_what_hosts_see() {
    let library = Library::start();
    library.text(&["tape", "protect", "CAP001L8"]);
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    let refused = tape.write_block(Bytes::from_static(b"x")).await.unwrap_err();
    let (key, asc, _) = refused.sense().unwrap().triple();
    assert_eq!((key, asc), (0x7, 0x27));
    let header = tape.mode_sense(0).await.unwrap();
    assert_eq!(header[2] & 0x80, 0x80, "WP bit");
    library.text(&["tape", "unprotect", "CAP001L8"]);
    let _ = tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from_static(b"x")).await.unwrap();
}

#[tokio::test]
async fn a_host_that_prevents_removal_keeps_its_tape() {
    let library = Library::start();
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.prevent_removal(true).await.unwrap();
    assert_eq!(
        library.failure(&["library", "unload", "0"]),
        (
            4,
            "error: a host prevents removal of cartridge CAP001L8 from drive:0\n  \
             next: let the backup software release or unload the drive; it locked the door\n"
                .to_owned()
        )
    );
    tape.prevent_removal(false).await.unwrap();
    library.text(&["library", "unload", "0"]);
}

#[tokio::test]
async fn what_hosts_move_is_counted() {
    let library = Library::start();
    library.text(&["library", "load", "CAP001L8", "2"]);
    let tape = library.drive(2).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from(vec![1; 1000])).await.unwrap();
    tape.write_block(Bytes::from(vec![2; 24])).await.unwrap();
    tape.write_filemarks(1, false).await.unwrap();
    tape.rewind().await.unwrap();
    tape.read_block(4096).await.unwrap();
    let drive = library.json(&["drive", "show", "2"]);
    assert_eq!((&drive["write_bytes"], &drive["read_bytes"]), (&1024.into(), &1000.into()));
    assert_eq!(drive["position"], serde_json::json!({ "partition": 0, "object": 1, "file": 0 }));
    let shown = library.json(&["tape", "show", "CAP001L8"]);
    assert_eq!((&shown["used"], &shown["objects"], &shown["filemarks"]), (&1024.into(), &3.into(), &1.into()));
    assert_eq!(shown["durable_to"], 3);
    let text = library.text(&["drive", "show", "2"]);
    assert!(text.contains("\nstands   before object 1, in file 0\n"), "{text}");
    let text = library.text(&["tape", "show", "CAP001L8"]);
    assert!(text.contains("\nused       1 KiB (0 %)\n"), "{text}");
    assert!(text.contains("\nobjects    3 (1 filemark), 3 of them safe on disk\n"), "{text}");
}

#[tokio::test]
async fn sessions_are_listed_and_dropped() {
    let library = Library::start();
    assert_eq!(library.text(&["session", "list"]), "No host is logged in.\n");
    let (changer, tape) = (library.changer().await, library.drive(5).await);
    let sessions = library.json(&["session", "list"]);
    let of = |suffix: &str| {
        let found = sessions.as_array().unwrap().iter().find(|each| each["target"].as_str().unwrap().ends_with(suffix));
        found.unwrap().clone()
    };
    assert_eq!(of(".changer")["initiator"], support::INITIATOR);
    let id = of(".drive-05")["id"].to_string();

    let (code, text) = library.failure(&["session", "drop", &id]);
    assert_eq!(code, 4, "{text}");
    assert_eq!(library.json(&["session", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(library.text(&["session", "drop", &id, "--yes"]), format!("session {id} is closed\n"));
    assert!(tape.test_unit_ready().await.is_err());
    changer.test_unit_ready().await.unwrap();
    assert_eq!(library.json(&["session", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(library.json(&["status"])["portal"]["sessions"], 1);
    library.drive(5).await.wait_ready().await.unwrap_err();
}

#[tokio::test]
async fn a_single_target_has_the_changer_at_lun_0_and_the_drives_after_it() {
    let library = Library::start_with("[iscsi]\nlayout = \"single-target\"\n[library]\ndrives = 2\n");
    let found = capstan_initiator::discover(library.portal, support::INITIATOR, support::TIMEOUT).await.unwrap();
    let names: Vec<&str> = found.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["iqn.2026-11.io.capstan:gw"]);
    let changer = library.device("", 0).await;
    assert_eq!(changer.inquiry().await.unwrap().device_type, 8);
    assert_eq!(changer.report_luns().await.unwrap().len(), 3);
    drop(changer);
    let drive = library.device("", 2).await;
    assert_eq!(drive.inquiry().await.unwrap().device_type, 1);
    let shown = library.json(&["drive", "show", "1"]);
    assert_eq!((&shown["target"], &shown["lun"]), (&"iqn.2026-11.io.capstan:gw".into(), &2.into()));
    assert_eq!(drive.serial_number().await.unwrap(), shown["serial"].as_str().unwrap());
}

#[test]
fn the_daemon_is_found_where_it_usually_is() {
    let library = Library::start();
    let directory = library.state().parent().unwrap().to_owned();
    std::os::unix::fs::symlink(library.state(), directory.join("capstan-data")).unwrap();
    assert!(capstan(&directory, &["status"]).status.success());
    let (code, text) = failure(&capstan(&library.state(), &["status"]));
    assert_eq!(code, 3);
    assert_eq!(
        text,
        "error: no daemon answers\n  \
         why:  ./capstan-data/capstan.sock: No such file or directory (os error 2)\n        \
         /run/capstan/capstan.sock: No such file or directory (os error 2)\n  \
         next: start one with `capstan serve`, or name its socket with --socket or $CAPSTAN_SOCKET\n"
    );
}

#[test]
fn failures_in_json_have_the_same_parts() {
    let library = Library::start();
    let (code, text) = library.failure(&["tape", "show", "NONE", "--json"]);
    assert_eq!(code, 1);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        serde_json::json!({ "error": {
            "kind": "not_found",
            "message": "there is no cartridge NONE",
            "next": "`capstan tape list` shows what there is"
        } })
    );
}

#[test]
fn scripts_and_manual_pages_are_made_for_every_command() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = capstan(directory.path(), &["completions", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("unprotect"), "{shell}");
    }
    let output = capstan(directory.path(), &["man", "--out", "pages"]);
    assert!(output.status.success());
    for page in ["capstan", "capstan-serve", "capstan-tape-create", "capstan-library-show", "capstan-session-drop"] {
        let text = std::fs::read_to_string(directory.path().join(format!("pages/{page}.1"))).unwrap();
        assert!(text.contains(&format!(".TH {page} ")), "{page}");
    }
}

#[test]
fn a_port_that_is_taken_is_a_clear_failure() {
    let library = Library::start();
    let directory = tempfile::tempdir().unwrap();
    let portal = library.portal.to_string();
    let (code, text) = failure(&capstan(directory.path(), &["serve", "--listen", &portal, "--state", "state"]));
    assert_eq!(code, 1);
    let end = text.lines().skip_while(|line| !line.starts_with("error:")).collect::<Vec<_>>().join("\n");
    assert_eq!(
        end,
        format!(
            "error: the portal cannot be opened\n  \
             why:  cannot listen at {portal}: Address already in use (os error 98)\n  \
             next: stop what listens there, or choose another address with --listen"
        )
    );
}

#[test]
fn the_configuration_for_systemd_is_good() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
    let output = capstan(std::path::Path::new(directory), &["check-config", "capstan.toml"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "capstan.toml: good\n");
}
