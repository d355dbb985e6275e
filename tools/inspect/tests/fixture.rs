//! Makes the tier in `testdata/v1`, which every release has to read for ever: `cargo test -- --ignored make_a_tier`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::path::Path;

use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_media::{Barcode, CartridgeId};
use capstan_tier::WrappingKey;
use support::{Chance, Library, Object, locate};

const KEY: [u8; 32] = [0x33; 32];

/// A tape of a few files, overwritten in the middle.
fn write(library: &Library, id: CartridgeId) -> Vec<Object> {
    let mut chance = Chance(id.0[0].into());
    let load = || {
        let cartridge = Cartridge::open_with(&library.running.store, id, library.options).unwrap();
        *library.running.drive.0.lock().unwrap() = Some(cartridge);
    };
    let shipped = || {
        let (tape, objects) = (library.read(), library.objects());
        library.running.unload();
        library.running.until("shipped", || {
            let tape = library.running.operations.tape(id).unwrap_or_default();
            tape.tier_to == objects && tape.unshipped_bytes == 0
        });
        tape
    };
    load();
    library.block(format!("{:<80}", "VOL1FIX001").into_bytes());
    library.filemarks(1, true);
    for number in 0..6_u8 {
        library.block(vec![number; 700]);
        library.block((0..100).flat_map(|_| chance.next().to_le_bytes()).collect());
    }
    library.filemarks(2, true);
    library.block(b"to be overwritten".to_vec());
    shipped();
    for round in 0..4_u8 {
        load();
        locate(library, if round == 0 { 16 } else { library.objects() });
        library.block(vec![round; 10 + usize::from(round)]);
        if round % 2 == 0 {
            library.filemarks(3, false);
        }
        shipped();
    }
    load();
    locate(library, library.objects());
    library.filemarks(1, true);
    library.block(vec![0xee; 12_000]);
    library.block(vec![0xef; 1]);
    shipped()
}

#[test]
#[ignore = "writes testdata/v1"]
fn make_a_tier() {
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1");
    assert!(!to.exists(), "what is there is kept for ever");
    fs::create_dir_all(&to).unwrap();
    fs::write(to.join("user.key"), KEY).unwrap();
    for (number, is_encrypted) in [(1_u8, false), (2, true)] {
        let library = Library::empty(4000, |rig| {
            rig.wrapping_key = is_encrypted.then(|| WrappingKey::new(KEY));
            rig.rules.zstd = Some(3);
            rig.gateway.0 = *b"capstan-gateway1";
        });
        let barcode = format!("FIX{number:03}L8");
        let id = CartridgeId([number; 16]);
        let new = NewCartridge { id, barcode: Barcode::new(&barcode).unwrap(), capacity: 1 << 30 };
        Cartridge::create(&library.running.store, new).unwrap();
        let tape = write(&library, id);
        let line = |object: &Object| match object {
            Object::Block(block) => format!("{} {}\n", block.len(), blake3::hash(block).to_hex()),
            Object::Filemark => "filemark\n".to_owned(),
        };
        fs::write(to.join(format!("{barcode}.objects")), tape.iter().map(line).collect::<String>()).unwrap();
        let from = library.tier.to_str().unwrap().to_owned();
        library.running.stop();
        let copied = std::process::Command::new("cp").args(["-r", &from, to.to_str().unwrap()]).status().unwrap();
        assert!(copied.success());
    }
}

/// Something to measure with: 320 MiB in blocks of 64 KiB, every other one compressible, in `$LARGE_TIER/plain/tier` and
/// `$LARGE_TIER/encrypted/tier`.
#[test]
#[ignore = "writes 640 MiB where the environment says"]
fn make_large_tiers() {
    let to = std::path::PathBuf::from(std::env::var_os("LARGE_TIER").expect("LARGE_TIER names a directory"));
    for (name, is_encrypted) in [("plain", false), ("encrypted", true)] {
        let library = Library::new(64 << 20, |rig| {
            rig.wrapping_key = is_encrypted.then(|| WrappingKey::new(KEY));
            rig.rules.zstd = Some(3);
        });
        let mut chance = Chance(7);
        library.load();
        for number in 0..5120_u64 {
            let word = number.to_le_bytes();
            let block: Vec<u8> = match number % 2 {
                0 => word.iter().copied().cycle().take(65_536).collect(),
                _ => (0..8192).flat_map(|_| chance.next().to_le_bytes()).collect(),
            };
            library.block(block);
        }
        library.filemarks(1, true);
        library.shipped();
        fs::create_dir_all(to.join(name)).unwrap();
        fs::write(to.join("user.key"), KEY).unwrap();
        let copied = std::process::Command::new("cp").arg("-r").args([&library.tier, &to.join(name)]).status().unwrap();
        assert!(copied.success());
        library.running.stop();
    }
}
