//! States of a tape: older versions, clones, and a log that is damaged or longer than its listing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use capstan_format::manifest::{Delta, Kind, Manifest};
use capstan_format::{Cause, Meta, Origin, Version};
use capstan_media::{Barcode, CartridgeId};
use support::{Library, Object, inspect, locate, read_files};

/// The tier of the fixtures, to be changed.
fn tier(work: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1/tier");
    let copied = std::process::Command::new("cp").arg("-r").args([&from, work]).status().unwrap();
    assert!(copied.success());
    work.join("tier")
}

fn manifest(tier: &Path) -> PathBuf {
    tier.join("v1/tapes/FIX001L8/01010101-0101-0101-0101-010101010101/manifest")
}

fn deltas(folder: &Path) -> Vec<Delta> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Delta::decode(&fs::read(path).unwrap()).unwrap()).collect()
}

fn state(deltas: &[Delta]) -> Manifest {
    let mut deltas = deltas.iter().cloned();
    let mut state = Manifest::begin(deltas.next().unwrap()).unwrap();
    deltas.for_each(|delta| state.apply(delta).unwrap());
    state
}

fn export(tier: &Path, arguments: &[&str]) -> Vec<Object> {
    let out = tier.join(".out");
    let _ = fs::remove_dir_all(&out);
    let answer = inspect(tier, &[&["export", "--out", out.to_str().unwrap()], arguments].concat());
    assert_eq!((answer.code, answer.notes.as_str()), (0, ""), "{arguments:?}");
    read_files(&out)
}

#[test]
fn an_older_version_is_read_as_it_was() {
    let work = tempfile::tempdir().unwrap();
    let tier = tier(work.path());
    let now = export(&tier, &["FIX001L8"]);
    let deltas = deltas(&manifest(&tier));
    // The last state before the overwrite, as a delta still tells it.
    let meta = |count: usize| Meta::decode(state(&deltas[..count]).meta.as_ref().unwrap()).unwrap();
    let count = (1..=deltas.len()).find(|&count| meta(count).end.object == 17).unwrap();
    let was = meta(count);
    let last = deltas[count - 1].number.to_string();
    let old = export(&tier, &["FIX001L8", "--delta", &last]);
    assert!(old.len() == 17 && old[..16] == now[..16]);
    assert_ne!(old[16], now[16]);
    assert_eq!(old.last(), Some(&Object::Block(b"to be overwritten".to_vec())));

    // And as a version that the metadata name.
    let is = meta(deltas.len());
    let version = Version {
        number: 3,
        cause: Cause::Overwritten,
        held: true,
        until: 1_795_000_000_000,
        end: was.end,
        ancestors: was.ancestors.clone(),
        below: was.next_sequence,
    };
    let cloned = Version { number: 4, cause: Cause::Cloned, held: false, ..version.clone() };
    let meta = Meta { versions: vec![version, cloned], last_version: 4, ..is };
    let number = deltas.last().unwrap().number + 1;
    let delta = Delta {
        kind: Kind::Delta,
        number,
        meta: Some(meta.encode()),
        rows: Vec::new(),
        releases: Vec::new(),
        points: Vec::new(),
        ..deltas.last().unwrap().clone()
    };
    fs::write(manifest(&tier).join(format!("{number:010}")), delta.encode()).unwrap();
    assert_eq!(export(&tier, &["FIX001L8"]), now);
    assert_eq!(export(&tier, &["FIX001L8", "--version", "3"]), old);
    let list = inspect(&tier, &["ls", "FIX001L8", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.output).unwrap();
    let version = &list["versions"][0];
    assert_eq!(
        (&version["version"], &version["cause"], &version["held"]),
        (&3.into(), &"overwritten".into(), &true.into())
    );
    assert_eq!((&list["versions"][1]["version"], &list["versions"][1]["cause"]), (&4.into(), &"cloned".into()));
    assert_eq!(version["until"], "2026-11-18T11:06:40Z");
    let other = inspect(&tier, &["ls", "FIX001L8", "--version", "2"]);
    assert_eq!(other.notes, "error: there is no version 2 of FIX001L8: older versions are: 3, 4\n");
    assert_eq!(inspect(&tier, &["verify", "FIX001L8"]).code, 0);
}

#[test]
fn a_clone_is_read_from_the_objects_of_its_origin() {
    let work = tempfile::tempdir().unwrap();
    let tier = tier(work.path());
    let origin = state(&deltas(&manifest(&tier)));
    let was = Meta::decode(origin.meta.as_ref().unwrap()).unwrap();
    let cartridge = CartridgeId([9; 16]);
    let barcode = Barcode::new("CLN001L8").unwrap();
    let below = was.next_sequence;
    let origins = vec![Origin { cartridge: was.cartridge, barcode: was.barcode.clone(), below }];
    let meta = Meta { cartridge, barcode, origins, ..was };
    let checkpoint = Delta {
        kind: Kind::Checkpoint,
        number: 0,
        cartridge,
        meta: Some(meta.encode()),
        rows: origin.rows.values().cloned().collect(),
        releases: Vec::new(),
        points: Vec::new(),
        ..deltas(&manifest(&tier))[0].clone()
    };
    let folder = tier.join("v1/tapes/CLN001L8/09090909-0909-0909-0909-090909090909/manifest");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0000000000"), checkpoint.encode()).unwrap();
    assert_eq!(export(&tier, &["CLN001L8"]), export(&tier, &["FIX001L8"]));
    let list = inspect(&tier, &["ls", "CLN001L8"]);
    assert!(list.text().contains("clone of   FIX001L8\n"), "{}", list.text());
    // Nobody has claimed it here; everything else is right.
    let verified = inspect(&tier, &["verify", "CLN001L8", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&verified.output).unwrap();
    let damage = report["tapes"][0]["damage"].as_array().unwrap();
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!(damage[0]["key"], "v1/barcodes/CLN001L8");
}

/// A tape that was written to so often that its log has a second checkpoint.
#[test]
fn a_damaged_log_is_read_up_to_the_damage_or_from_the_next_checkpoint() {
    let library = Library::new(4000, |_| {});
    library.load();
    library.running.unload();
    let folder = library.tier.join("v1/tapes/CAP001L8/5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a/manifest");
    let path = |number: u64| folder.join(format!("{number:010}"));
    while !path(70).exists() {
        library.load();
        locate(&library, library.objects());
        library.block(b"one more block".to_vec());
        library.shipped();
    }
    let last = (0..).find(|&number| !path(number + 1).exists()).unwrap();
    let reaches = || {
        let list: serde_json::Value =
            serde_json::from_slice(&inspect(&library.tier, &["ls", "--json"]).output).unwrap();
        list[0]["delta"].as_u64()
    };
    assert_eq!(reaches(), Some(last));
    let checkpoint = fs::read(path(64)).unwrap();
    // Behind the checkpoint: up to there.
    let delta = fs::read(path(67)).unwrap();
    fs::write(path(67), &delta[..100]).unwrap();
    assert_eq!(reaches(), Some(66));
    // One delta twice.
    fs::copy(path(66), path(67)).unwrap();
    assert_eq!(reaches(), Some(66));
    fs::write(path(67), &delta).unwrap();
    // Before the checkpoint: nothing is missing but what was.
    let before = fs::read(path(10)).unwrap();
    fs::remove_file(path(10)).unwrap();
    assert_eq!(reaches(), Some(last));
    let answer = inspect(&library.tier, &["verify"]);
    assert!(answer.code == 1 && answer.notes.contains("manifest/0000000010: it is not there"), "{}", answer.notes);
    // Both: back to the first checkpoint, and only to the first damage.
    fs::write(path(64), &checkpoint[..200]).unwrap();
    assert_eq!(reaches(), Some(9));
    fs::write(path(10), &before).unwrap();
    assert_eq!(reaches(), Some(63));
    let answer = inspect(&library.tier, &["ls"]);
    assert!(answer.notes.contains("delta 64 cannot be read"), "{}", answer.notes);
    fs::write(path(64), &checkpoint).unwrap();
    // Numbers that cannot be, as far apart as they can be.
    fs::write(folder.join(u64::MAX.to_string()), b"what is this").unwrap();
    fs::write(folder.join("junk"), b"what is this").unwrap();
    assert_eq!(reaches(), Some(last));
    library.running.stop();
}
