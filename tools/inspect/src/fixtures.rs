//! The files that the writer keeps for ever are read as they were meant.

use std::fs;
use std::path::PathBuf;

use crate::error::Error;
use crate::format::{
    Bad, Cause, Claim, Delta, Meta, Point, RunKind, SEGMENT_TRAILER, SegmentHeader, SegmentTrailer, Uuid, WrappedKey,
    parse_index,
};
use crate::keys::{CartridgeKeys, WrappingKeys};
use crate::object::{Bytes, Expected, Object};
use crate::source::Directory;

const CARTRIDGE: Uuid = Uuid(*b"capstan-fixture1");

fn folder(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crates").join(of).join("testdata")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(folder("format").join(name)).unwrap()
}

fn point(objects: u64, filemarks: u64, bytes: u64) -> Point {
    Point { objects, filemarks, bytes }
}

#[test]
fn metadata_of_both_versions() {
    for name in ["cartridge-v1.meta", "cartridge-v1-first-copy-lost.meta"] {
        let meta = Meta::decode(&fixture(name)).unwrap();
        assert_eq!((meta.cartridge, meta.barcode.as_str(), meta.capacity), (CARTRIDGE, "FIX001L8", 12_000_000_000_000));
        assert_eq!((meta.is_protected, meta.is_open, meta.end), (true, false, point(15, 3, 6368)));
        assert_eq!(meta.ancestors.iter().map(|each| each.sequence).collect::<Vec<_>>(), [5, 3, 1]);
        assert_eq!((meta.versions.len(), meta.origins.len()), (0, 0));
    }
    for name in ["cartridge-v2.meta", "cartridge-v2-first-entries-lost.meta"] {
        let meta = Meta::decode(&fixture(name)).unwrap();
        let [first, second] = meta.versions.as_slice() else { panic!("{name}: two versions") };
        assert_eq!((first.number, first.cause, first.is_held), (1, Cause::Overwritten, false));
        assert_eq!((second.number, second.cause, second.is_held), (4, Cause::RolledBack, true));
        assert_eq!((first.until, first.end), (1_795_000_000_000, point(7, 1, 6000)));
        assert_eq!(first.ancestors.iter().map(|each| each.sequence).collect::<Vec<_>>(), [3, 1]);
        let [origin] = meta.origins.as_slice() else { panic!("{name}: one origin") };
        assert_eq!((origin.cartridge, origin.barcode.as_str(), origin.below), (Uuid([0x0f; 16]), "FIX000L8", 3));
    }
    assert_eq!(Meta::decode(&fixture("cartridge-v3.meta")), Err(Bad::Newer(3, 2)));
}

#[test]
fn metadata_cut_off_or_with_a_bit_flipped_is_read_by_its_other_copy_or_refused() {
    for name in ["cartridge-v1.meta", "cartridge-v2.meta"] {
        let whole = fixture(name);
        let meta = Meta::decode(&whole).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x40;
            assert_eq!(Meta::decode(&bytes).as_ref(), Ok(&meta), "{name}: one copy is whole, byte {place}");
            assert!(Meta::decode(&whole[..place]).is_err(), "{name}: {place} bytes");
        }
    }
}

#[test]
fn deltas_and_claims() {
    let checkpoint = Delta::decode(&fixture("manifest-v1-checkpoint.delta")).unwrap();
    assert_eq!((checkpoint.is_checkpoint, checkpoint.number, checkpoint.cartridge), (true, 64, CARTRIDGE));
    assert_eq!((checkpoint.writer, checkpoint.writer_epoch), (Uuid(*b"capstan-gateway1"), 7));
    assert_eq!(checkpoint.meta.unwrap().end, point(9, 2, 6000));
    let delta = Delta::decode(&fixture("manifest-v1-delta.delta")).unwrap();
    assert_eq!((delta.is_checkpoint, delta.number, delta.points, delta.written), (false, 65, 1, 1_795_000_000_065));
    let [row] = delta.rows.as_slice() else { panic!("one row") };
    assert_eq!((row.sequence, row.epoch, row.random), (2, 2, 0x0123_4567_89ab_cdf1));
    assert_eq!((row.start, row.end), (point(4, 0, 4000), point(9, 2, 6000)));
    assert_eq!((row.segment_length, row.object_length, row.object_hash), (3024, 2000, [0xb3; 32]));
    assert_eq!((row.is_encrypted, row.is_compressed), (false, true));
    for name in ["anybody", "one"] {
        let bytes = fixture(&format!("manifest-v2-for-{name}.delta"));
        assert_eq!(Delta::decode(&bytes).unwrap(), delta, "handed over for {name}");
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            assert!(Delta::decode(&bytes).is_err(), "byte {place}");
        }
    }
    assert_eq!(Delta::decode(&fixture("manifest-v3.delta")), Err(Bad::Newer(3, 2)));

    let claim = Claim::decode(&fixture("claim-v1-barcode.claim")).unwrap();
    assert_eq!((claim.is_barcode, claim.name.as_str(), claim.cartridge), (true, "FIX001L8", CARTRIDGE));
    let claim = Claim::decode(&fixture("claim-v1-gateway.claim")).unwrap();
    assert_eq!((claim.is_barcode, claim.name.as_str(), claim.gateway), (false, "gw", Uuid(*b"capstan-gateway1")));
}

#[test]
fn every_flipped_bit_of_a_delta_is_found() {
    let whole = fixture("manifest-v1-checkpoint.delta");
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        assert!(Delta::decode(&bytes).is_err(), "byte {place}");
        assert!(Delta::decode(&whole[..place]).is_err(), "{place} bytes");
    }
}

#[test]
fn a_sealed_segment() {
    let bytes = fixture("segment-v1-sealed.seg");
    let length = u64::try_from(bytes.len()).unwrap();
    for copy in [0, 512] {
        let header = SegmentHeader::decode(&bytes[copy..]).unwrap();
        assert_eq!((header.cartridge, header.sequence, header.epoch), (CARTRIDGE, 5, 2));
        assert_eq!((header.start, header.ancestors.len()), (point(7, 1, 6000), 2));
    }
    let last = &bytes[bytes.len() - usize::try_from(SEGMENT_TRAILER).unwrap()..];
    let trailer = SegmentTrailer::decode(last, length).unwrap();
    assert_eq!(trailer.end, point(15, 3, 6368));
    let begin = usize::try_from(trailer.index_offset).unwrap();
    let index = &bytes[begin..begin + usize::try_from(trailer.index_length).unwrap()];
    let runs = parse_index(index, trailer.index_offset - 1024, 8).unwrap();
    assert_eq!(
        runs.iter().map(|run| (run.kind, run.records)).collect::<Vec<_>>(),
        [
            (RunKind::Blocks { length: 100 }, 3),
            (RunKind::Blocks { length: 17 }, 1),
            (RunKind::Blocks { length: 1 }, 1),
            (RunKind::Filemarks { count: 2 }, 1),
            (RunKind::Lost { bytes: 48, objects: 0 }, 1),
            (RunKind::Blocks { length: 50 }, 1),
        ]
    );
}

/// The keys of the objects: wrapped with 32 bytes of 0x33.
fn keys() -> CartridgeKeys {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("{}\n", "33".repeat(32))).unwrap();
    let wrapping = WrappingKeys::read(&[file.path()]).unwrap();
    let wrapped = WrappedKey::decode(&fs::read(folder("tier").join("key-v1.wrapped")).unwrap()).unwrap();
    let mut keys = CartridgeKeys::default();
    keys.add(wrapped.key_id, wrapping.open(&wrapped).unwrap().unwrap());
    keys
}

/// The segment in an object, frame for frame.
fn read(name: &str, keys: &CartridgeKeys) -> Result<Vec<Result<Vec<u8>, String>>, Error> {
    let source = Directory::open(&folder("tier")).unwrap();
    let bytes = Bytes::new(&source, name).unwrap();
    let header = crate::format::ObjectHeader::decode(&bytes.range(0, 128).unwrap()).unwrap();
    let expected = Expected {
        key: name.to_owned(),
        cartridge: header.cartridge,
        sequence: header.sequence,
        epoch: header.epoch,
        is_encrypted: header.is_encrypted,
    };
    let mut object = Object::open(bytes, &expected, keys, 1 << 20)?;
    let frames = 0..object.header().frames();
    let frames = frames.map(|frame| object.frame(frame).unwrap().map(<[u8]>::to_vec).map_err(|bad| bad.to_string()));
    let frames: Vec<_> = frames.collect();
    if frames.iter().all(Result::is_ok) {
        let segment: Vec<u8> = frames.iter().flatten().flatten().copied().collect();
        assert_eq!(object.plain_hash().unwrap(), *blake3::hash(&segment).as_bytes());
    }
    Ok(frames)
}

#[test]
fn objects_hold_the_same_segment_however_they_are_stored() {
    let plain = read("object-v1-plain.object", &CartridgeKeys::default()).unwrap();
    assert_eq!(plain.iter().map(|frame| frame.as_ref().unwrap().len()).collect::<Vec<_>>(), [4096, 1500]);
    assert_eq!(read("object-v1-zstd.object", &CartridgeKeys::default()).unwrap(), plain);
    for name in ["object-v1-encrypted.object", "object-v1-zstd-encrypted.object"] {
        assert_eq!(read(name, &keys()).unwrap(), plain, "{name}");
        assert!(matches!(read(name, &CartridgeKeys::default()), Err(Error::KeyNeeded(_))), "{name}");
    }
    assert_eq!(read("object-v1-empty.object", &keys()).unwrap(), []);
    let damaged = read("object-v1-damaged.object", &CartridgeKeys::default()).unwrap();
    assert_eq!(
        damaged[0],
        Err("object-v1-damaged.object, frame 0, offset 128: its checksum does not match".to_owned())
    );
    assert_eq!(damaged[1], plain[1]);
}
