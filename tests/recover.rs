//! `capstan recover --from disk`: the catalog is lost, and everything is where it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_initiator::BlockRead;
use serde_json::Value;
use support::Library;

/// Everything that an operator or a host can see of what is where.
fn inventory(library: &Library) -> Vec<Value> {
    let deadline = Instant::now() + support::TIMEOUT;
    let mut drives = library.json(&["drive", "list"]);
    // Drives open their cartridges after the start.
    while drives.as_array().unwrap().iter().any(|drive| !drive["barcode"].is_null() && drive["state"] != "loaded") {
        assert!(Instant::now() < deadline, "{drives}");
        std::thread::sleep(Duration::from_millis(20));
        drives = library.json(&["drive", "list"]);
    }
    for drive in drives.as_array_mut().unwrap() {
        // What has happened since the start, which is another one.
        for field in ["busy", "write_bytes", "read_bytes", "position"] {
            drive.as_object_mut().unwrap().remove(field);
        }
    }
    let mut tapes = library.json(&["tape", "list"]);
    for tape in tapes.as_array_mut().unwrap() {
        // What of it is where: that is found out after the start.
        for field in ["tier_to", "unshipped_bytes", "local_bytes"] {
            tape.as_object_mut().unwrap().remove(field);
        }
    }
    vec![library.json(&["library", "show"]), tapes, drives]
}

/// Moves, protection, an import/export slot, a loaded drive with data, cartridges that came and went.
async fn arrange(library: &Library) {
    library.text(&["tape", "create", "--count", "2", "--prefix", "NIGHT", "--size", "1GiB"]);
    library.text(&["tape", "create", "--barcode", "special"]);
    library.text(&["tape", "protect", "CAP002L8", "NIGHT001L8"]);
    library.text(&["library", "move", "slot:5", "io:2"]);
    library.text(&["library", "move", "slot:6", "slot:77"]);
    library.text(&["library", "load", "CAP001L8", "3"]);
    library.text(&["library", "load", "CAP004L8", "0"]);
    let changer = library.changer().await;
    // By a host, into an import/export slot: what the changer reports of it differs from what an operator does.
    changer.move_medium(1007, 12).await.unwrap();
    let tape = library.drive(3).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from_static(b"last night")).await.unwrap();
    tape.write_filemarks(1, false).await.unwrap();
    library.text(&["library", "unload", "0"]);
    library.text(&["tape", "delete", "CAP009L8", "--yes"]);
}

fn recover(library: &Library, more: &[&str]) -> Value {
    let state = library.state();
    let words = [&["recover", "--from", "disk", "--state", state.to_str().unwrap(), "--json"], more].concat();
    let output = support::capstan(&state, &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(library: &Library) -> (i32, Value) {
    let output = library.serve().output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&last_value(&output.stderr)).unwrap())
}

/// The failure, behind the lines of the log.
fn last_value(stderr: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(stderr);
    let from = text.find("{\n").unwrap_or_else(|| panic!("{text}"));
    text[from..].as_bytes().to_vec()
}

/// All files below a directory with what they hold.
fn image(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(image(&path));
        } else if path.is_file() {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

#[tokio::test]
async fn a_deleted_catalog_comes_back_as_it_was() {
    let mut library = Library::start_unshipped();
    arrange(&library).await;
    let before = inventory(&library);
    library.kill();
    let catalog = library.state().join("catalog.redb");
    fs::remove_file(&catalog).unwrap();
    let (code, failure) = refused(&library);
    assert_eq!(code, 4);
    assert!(failure["error"]["why"].as_str().unwrap().ends_with("catalog.redb is missing"), "{failure}");
    assert!(failure["error"]["next"].as_str().unwrap().starts_with("`capstan recover --from disk`"), "{failure}");
    assert!(!catalog.exists(), "no other library is begun");

    let files = image(&library.state());
    let would = recover(&library, &["--dry-run"]);
    assert_eq!(image(&library.state()), files, "--dry-run changes nothing");
    assert_eq!(
        (&would["changed"], &would["written"], &would["catalog"]),
        (&true.into(), &false.into(), &"missing".into())
    );
    let did = recover(&library, &[]);
    assert_eq!(
        (&did["written"], &did["from"], &did["remarks"]),
        (&true.into(), &"library.state".into(), &Value::Array(vec![]))
    );
    assert_eq!(did["tapes"], would["tapes"]);
    assert_eq!(did["tapes"].as_array().unwrap().len(), 12);
    let now = image(&library.state());
    let others = |image: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<_> {
        let is_state = |path: &Path| path.to_string_lossy().contains("library.state.") || path == catalog;
        image.iter().filter(|(path, _)| !is_state(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    };
    assert_eq!(others(&now), others(&files), "no cartridge is touched");

    library.start_again();
    assert!(inventory(&library) == before, "it is not as it was");
    let tape = library.drive(3).await;
    tape.wait_ready().await.unwrap();
    tape.rewind().await.unwrap();
    assert_eq!(tape.read_block(100).await.unwrap(), BlockRead::Block(Bytes::from_static(b"last night")));
    // Again, with a daemon on it, and when nothing is to be done.
    let state = library.state();
    let output = library.command(&["recover", "--from", "disk", "--state", state.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is in use by another capstan"));
    library.stop();
    let again = recover(&library, &[]);
    assert_eq!(
        (&again["changed"], &again["written"], &again["catalog"]),
        (&false.into(), &false.into(), &"good".into())
    );
}

/// Cut off and flipped at many places: what `serve` refuses, `recover` makes good; what it takes is as it was.
#[tokio::test]
async fn a_catalog_damaged_anywhere_comes_back_as_it_was() {
    let mut library = Library::start_unshipped();
    arrange(&library).await;
    let before = inventory(&library);
    library.kill();
    let catalog = library.state().join("catalog.redb");
    let good = fs::read(&catalog).unwrap();
    let files = image(&library.state());
    let (mut refusals, mut taken) = (0, 0);
    let step = good.len() / 12;
    let cuts = (0..good.len()).step_by(step).map(|length| good[..length].to_vec());
    let flips =
        (0..good.len()).step_by(step / 2 + 1).chain((0..4096).step_by(256)).chain([3, 70, 200, 330]).map(|offset| {
            let mut bytes = good.clone();
            bytes[offset] ^= 0x10;
            bytes
        });
    let others = [vec![0; good.len()], b"this is no catalog".to_vec()];
    for (number, bytes) in cuts.chain(flips).chain(others).enumerate() {
        fs::write(&catalog, &bytes).unwrap();
        let did = recover(&library, &[]);
        assert_eq!(did["remarks"], Value::Array(vec![]), "{number}: {did}");
        if did["written"] == true {
            refusals += 1;
            assert_eq!(did["from"], "library.state", "{number}: {did}");
            let kept = library.state().join("catalog.redb.damaged-1");
            assert_eq!(did["kept_aside"], kept.to_str().unwrap());
            assert_eq!(fs::read(&kept).unwrap(), bytes, "{number}: the old one is kept");
            fs::remove_file(kept).unwrap();
        } else {
            taken += 1;
        }
        // Each third time all the way.
        if number % 3 == 0 {
            library.start_again();
            assert!(inventory(&library) == before, "{number}: it is not as it was");
            library.kill();
        }
        for (path, bytes) in &files {
            if path.file_name().unwrap().to_string_lossy().starts_with("library.state") {
                fs::write(path, bytes).unwrap();
            }
        }
    }
    assert!(refusals >= 15, "{refusals} refused, {taken} taken");
    println!("{refusals} damaged catalogs were made again, {taken} flips met nothing that counts");
}

/// A bit of the catalog and any one of what is kept beside it.
#[tokio::test]
async fn damage_beside_the_catalog_too_costs_nothing_as_long_as_it_is_in_one_place() {
    let mut library = Library::start_unshipped();
    arrange(&library).await;
    let before = inventory(&library);
    library.kill();
    let files = image(&library.state());
    for number in 0..2 {
        let path = library.state().join(format!("library.state.{number}"));
        for offset in [0, 9, 70, 500, 16_384, 16_500] {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.write_all_at(&[files[&path][offset] ^ 4], offset as u64).unwrap();
            let _ = fs::remove_file(library.state().join("catalog.redb"));
            let did = recover(&library, &[]);
            assert_eq!((&did["from"], &did["remarks"]), (&"library.state".into(), &Value::Array(vec![])), "{did}");
            fs::write(&path, &files[&path]).unwrap();
        }
    }
    library.start_again();
    assert!(inventory(&library) == before, "it is not as it was");
}

#[tokio::test]
async fn with_nothing_but_the_cartridges_all_of_them_come_back_in_slots() {
    let mut library = Library::start_unshipped();
    arrange(&library).await;
    let before = inventory(&library);
    library.stop();
    for name in ["catalog.redb", "library.state.0", "library.state.1"] {
        fs::remove_file(library.state().join(name)).unwrap();
    }
    let (code, failure) = refused(&library);
    assert_eq!(code, 4);
    assert!(failure["error"]["why"].as_str().unwrap().ends_with("has 12 cartridges and no catalog"), "{failure}");
    let did = recover(&library, &[]);
    assert_eq!(did["from"], "cartridges");
    let kinds: Vec<&str> = did["remarks"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "found").count(), 12);
    assert!(kinds.contains(&"new_identity"));
    library.start_again();
    let now = inventory(&library);
    let of = |inventory: &[Value]| -> Vec<Value> {
        let tapes = inventory[1].as_array().unwrap();
        tapes
            .iter()
            .map(|tape| serde_json::json!([tape["barcode"], tape["id"], tape["size"], tape["used"], tape["protected"]]))
            .collect()
    };
    assert_eq!(of(&now), of(&before), "labels, sizes, protection and data are the cartridges' own");
    assert!(now[1].as_array().unwrap().iter().all(|tape| tape["state"] == "RECOVERED"));
    assert_eq!(now[1][0]["location"], "slot:1");
    library.text(&["library", "load", "CAP001L8", "0"]);
}

#[test]
fn two_copies_of_a_cartridge_and_one_of_another_library_are_kept_apart() {
    let mut library = Library::start_unshipped();
    library.stop();
    let tapes = library.state().join("cartridges/tapes");
    // Another library's CAP001L8, with its directory.
    let mut other = Library::start_unshipped();
    let listed = other.json(&["tape", "list"]);
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    other.stop();
    let fan = &id[..2];
    let from = other.state().join("cartridges/tapes").join(fan).join(&id);
    let to = tapes.join(fan).join(&id);
    fs::create_dir_all(&to).unwrap();
    fs::copy(from.join("cartridge.meta"), to.join("cartridge.meta")).unwrap();
    fs::remove_file(library.state().join("catalog.redb")).unwrap();
    let did = recover(&library, &[]);
    let remarks = did["remarks"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> =
        remarks.iter().map(|it| (it["kind"].as_str().unwrap(), it["barcode"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("same_barcode", "CAP001L8-2"), ("found", "CAP001L8-2")]);
    assert_eq!(remarks[1]["location"], "slot:11");
    library.start_again();
    assert_eq!(library.json(&["tape", "show", "CAP001L8-2"])["id"], id.as_str());
    assert_eq!(library.json(&["tape", "list"]).as_array().unwrap().len(), 11);
}

#[test]
fn where_no_library_is_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    for state in [".", "missing"] {
        let (code, text) =
            support::failure(&support::capstan(directory.path(), &["recover", "--from", "disk", "--state", state]));
        assert_eq!(code, 4, "{text}");
        assert!(text.contains("is no library"), "{text}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
