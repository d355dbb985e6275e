//! What the program reads from the tier is what the drive reads: block for block, filemark for filemark.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;

use capstan_tier::WrappingKey;
use support::rig::soak;
use support::{Chance, Library, Object, inspect, locate, read_files, read_tap};

const KEY: [u8; 32] = [0x42; 32];

/// Writes something like what backup programs write: files of blocks, runs of filemarks, and overwrites.
fn write(library: &Library, chance: &mut Chance) {
    for _ in 0..3 {
        library.load();
        let objects = library.objects();
        // Somewhere in the middle, or on from the end.
        let place = if chance.below(3) == 0 { objects } else { chance.below(objects + 1) };
        locate(library, place);
        for _ in 0..chance.below(60) + 20 {
            match chance.below(8) {
                0 => library.filemarks(1, true),
                1 => library.filemarks(u32::try_from(chance.below(4)).unwrap(), chance.below(2) == 0),
                _ => library.block(chance.block()),
            }
        }
        library.shipped();
    }
}

/// A tape that is shipped, exported in both ways, and verified.
fn round(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let is_encrypted = seed.is_multiple_of(2);
    let segment_size = [8_000, 300_000, 5 << 20][usize::try_from(seed % 3).unwrap()];
    let library = Library::new(segment_size, |rig| {
        rig.wrapping_key = is_encrypted.then(|| WrappingKey::new(KEY));
        rig.rules.zstd = (seed % 4 < 2).then_some(1);
    });
    write(&library, &mut chance);
    library.load();
    let expected = library.read();
    let drive_says = library.objects();
    library.running.unload();
    assert_eq!(u64::try_from(expected.len()).unwrap(), drive_says);

    let out = library.rig.root.path().join("out");
    let (files, tap, key) = (out.join("files"), out.join("tape.tap"), library.rig.root.path().join("user.key"));
    fs::create_dir(&out).unwrap();
    fs::write(&key, KEY).unwrap();
    let key = ["--key-file", key.to_str().unwrap()];
    let keyed = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().chain(key.iter().filter(|_| is_encrypted)).copied().collect();
        let answer = inspect(&library.tier, &arguments);
        assert_eq!((answer.code, answer.notes.as_str()), (0, ""), "seed {seed}: {arguments:?}");
        answer
    };
    keyed(&["export", "CAP001L8", "--out", files.to_str().unwrap()]);
    assert!(read_files(&files) == expected, "seed {seed}: the files are another tape");
    keyed(&["export", "CAP001L8", "--format", "tap", "--out", tap.to_str().unwrap()]);
    assert!(read_tap(&tap) == expected, "seed {seed}: the image is another tape");

    let blocks = |objects: &[Object]| -> Vec<u8> {
        let block = |object: &Object| match object {
            Object::Block(block) => block.clone(),
            Object::Filemark => Vec::new(),
        };
        objects.iter().flat_map(block).collect()
    };
    assert!(keyed(&["cat", "CAP001L8"]).output == blocks(&expected), "seed {seed}: cat");
    let (from, to) = (expected.len() / 3, expected.len() / 2);
    let part = keyed(&["cat", "CAP001L8", "--from", &from.to_string(), "--to", &to.to_string()]);
    assert!(part.output == blocks(&expected[from..to]), "seed {seed}: cat of a part");
    for (number, file) in expected.split(|object| *object == Object::Filemark).enumerate() {
        let cat = keyed(&["cat", "CAP001L8", "--file", &number.to_string()]);
        assert!(cat.output == blocks(file), "seed {seed}: file {number}");
    }

    let list: serde_json::Value = serde_json::from_slice(&keyed(&["ls", "--json"]).output).unwrap();
    let filemarks = expected.iter().filter(|object| **object == Object::Filemark).count();
    assert_eq!(list[0]["blocks"], expected.len() - filemarks);
    assert_eq!(list[0]["filemarks"], filemarks);
    assert_eq!(list[0]["bytes"], blocks(&expected).len());
    assert_eq!(list[0]["encrypted"], is_encrypted && !expected.is_empty());
    assert_eq!(list[0]["gateway"], "gw");
    let verified: serde_json::Value = serde_json::from_slice(&keyed(&["verify", "--json"]).output).unwrap();
    assert_eq!(verified["tapes"][0]["damage"], serde_json::json!([]));
    assert_eq!(verified["tapes"][0]["sealed"], false);
}

#[test]
fn a_tape_of_chance_is_read_as_the_drive_reads_it() {
    (1..=6 * soak()).for_each(round);
}
