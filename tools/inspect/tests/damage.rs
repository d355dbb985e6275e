//! Every object of a small tier damaged in turn: the program says so, and reads what is left.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Object, inspect, read_files};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1")
}

fn key() -> String {
    fixture().join("user.key").to_str().unwrap().to_owned()
}

/// Every object below a directory.
fn objects(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(objects(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A copy that can be damaged.
fn copy(root: &Path, to: &Path) {
    for object in objects(root) {
        let place = to.join(object.strip_prefix(root).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&object, &place).unwrap();
    }
}

/// What is on the tape that is exported, damaged blocks left out, and what the answer was.
fn export(tier: &Path, barcode: &str, out: &Path) -> (i32, Option<Vec<Object>>, serde_json::Value) {
    let _ = fs::remove_dir_all(out);
    let answer = inspect(tier, &["export", barcode, "--out", out.to_str().unwrap(), "--key-file", &key()]);
    let Ok(index) = fs::read(out.join("blocks.json")) else { return (answer.code, None, serde_json::Value::Null) };
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let is_whole = answer.code == 0;
    (answer.code, is_whole.then(|| read_files(out)), index)
}

/// Numbers of blocks that an export says are missing.
fn missing(index: &serde_json::Value) -> Vec<u64> {
    let files = index["files"].as_array().unwrap().iter();
    let damage = files.flat_map(|file| file["damage"].as_array().cloned().unwrap_or_default());
    let range = |lost: serde_json::Value| {
        let (block, count) = (lost["block"].as_u64().unwrap(), lost["count"].as_u64().unwrap());
        block..block + count
    };
    damage.flat_map(range).collect()
}

/// The blocks of a tape by their number, as `cat` reads each.
fn block(tier: &Path, barcode: &str, number: u64) -> (i32, Vec<u8>) {
    let (from, to) = (number.to_string(), (number + 1).to_string());
    let answer = inspect(tier, &["cat", barcode, "--from", &from, "--to", &to, "--key-file", &key()]);
    (answer.code, answer.output)
}

const TAPES: [&str; 2] = ["FIX001L8", "FIX002L8"];

#[test]
fn the_fixture_is_whole() {
    let tier = fixture().join("tier");
    for barcode in TAPES {
        let out = tempfile::tempdir().unwrap();
        let (code, tape, _) = export(&tier, barcode, &out.path().join("out"));
        assert_eq!(code, 0);
        let sums: Vec<String> = tape
            .unwrap()
            .iter()
            .map(|object| match object {
                Object::Block(block) => format!("{} {}", block.len(), blake3::hash(block).to_hex()),
                Object::Filemark => "filemark".to_owned(),
            })
            .collect();
        let expected = fs::read_to_string(fixture().join(format!("{barcode}.objects"))).unwrap();
        assert_eq!(sums, expected.lines().collect::<Vec<_>>(), "{barcode}");
    }
    let verified = inspect(&tier, &["verify", "--key-file", &key()]);
    assert_eq!((verified.code, verified.notes.as_str()), (0, ""));
    // Without the key what is stored can be checked, and nothing can be read.
    let verified = inspect(&tier, &["verify", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&verified.output).unwrap();
    assert_eq!(
        (verified.code, &report["tapes"][0]["sealed"], &report["tapes"][1]["sealed"]),
        (0, &false.into(), &true.into())
    );
    for command in [&["cat", "FIX002L8"][..], &["ls", "FIX002L8"], &["export", "FIX002L8", "--out", "/nowhere/at/all"]]
    {
        let refused = inspect(&tier, command);
        assert_eq!((refused.code, refused.output.as_slice()), (1, &b""[..]), "{command:?}");
        let id = "give the wrapping key with id ";
        assert!(refused.notes.contains(id), "{command:?}: {}", refused.notes);
    }
}

/// What is done to an object.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Flip(usize),
    Cut(usize),
    Empty,
    Remove,
}

fn harm(path: &Path, whole: &[u8], harm: Harm) {
    match harm {
        Harm::Remove => return fs::remove_file(path).unwrap(),
        Harm::Empty => fs::write(path, b""),
        Harm::Cut(length) => fs::write(path, &whole[..length]),
        Harm::Flip(place) => {
            let mut bytes = whole.to_vec();
            bytes[place] ^= 0x10;
            fs::write(path, bytes)
        }
    }
    .unwrap();
}

#[test]
fn damage_to_any_object_is_told_and_the_rest_is_read() {
    let (work, from) = (tempfile::tempdir().unwrap(), fixture().join("tier"));
    let (tier, out) = (work.path().join("tier"), work.path().join("out"));
    copy(&from, &tier);
    let whole: Vec<Vec<Object>> = TAPES.iter().map(|tape| export(&tier, tape, &out).1.unwrap()).collect();
    for path in objects(&tier) {
        let bytes = fs::read(&path).unwrap();
        let name = path.strip_prefix(&tier).unwrap().to_str().unwrap().to_owned();
        let (half, last) = (bytes.len() / 2, bytes.len() - 1);
        let harms = [
            Harm::Flip(0),
            Harm::Flip(8),
            Harm::Flip(100),
            Harm::Flip(half),
            Harm::Flip(last - 130.min(last)),
            Harm::Flip(last),
            Harm::Cut(half),
            Harm::Cut(last),
            Harm::Empty,
            Harm::Remove,
        ];
        for each in harms {
            harm(&path, &bytes, each);
            check(&tier, &out, &name, each, &whole);
            fs::write(&path, &bytes).unwrap();
        }
    }
}

/// `verify` names the object, and what `export` gives is as it was, save what it says is missing.
fn check(tier: &Path, out: &Path, name: &str, harm: Harm, whole: &[Vec<Object>]) {
    let verified = inspect(tier, &["verify", "--key-file", &key()]);
    // What nothing says was there is not missed, and the last delta is such a thing: a reader cannot know of it.
    let is_known = !(matches!(harm, Harm::Remove)
        && (is_last_delta(tier, name) || name.contains("/key/") || name.contains("gateways")));
    if is_known {
        assert_eq!(verified.code, 1, "{name}, {harm:?}: {}", verified.text());
        assert!(verified.notes.contains(name), "{name}, {harm:?}: {}", verified.notes);
    }
    for (barcode, whole) in TAPES.iter().zip(whole) {
        let (code, tape, index) = export(tier, barcode, out);
        let is_of_tape = name.contains(barcode);
        if let Some(tape) = tape {
            // All that the manifest still says is on the tape.
            assert!(whole.starts_with(&tape) || name.contains("/manifest/"), "{name}, {harm:?}: {barcode}");
            continue;
        }
        assert!(is_of_tape && code == 1, "{name}, {harm:?}: {barcode} has nothing to do with it");
        if !name.contains("/segments/") || index.is_null() {
            continue;
        }
        let missing = missing(&index);
        for (number, object) in (0..).zip(whole) {
            let Object::Block(expected) = object else { continue };
            let (code, read) = block(tier, barcode, number);
            assert_eq!(code == 1, missing.contains(&number), "{name}, {harm:?}: block {number}");
            assert!(code == 1 || read == *expected, "{name}, {harm:?}: block {number} is another");
        }
    }
}

fn is_last_delta(tier: &Path, name: &str) -> bool {
    let Some((folder, number)) = name.split_once("/manifest/") else { return false };
    let later = fs::read_dir(tier.join(folder).join("manifest")).unwrap();
    later.map(|entry| entry.unwrap().file_name().into_string().unwrap()).all(|other| *other <= *number)
}
