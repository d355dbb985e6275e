//! The files in `testdata/` are read by every release for ever, and this one still writes the same bytes.
//!
//! `CAPSTAN_BLESS=1` writes files that are missing; one that is there is never replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use capstan_format::segment::{
    Header, Index, RecordHeader, RecordKind, RecordSeed, Run, RunKind, TRAILER_LENGTH, Trailer, scan,
};
use capstan_format::{Ancestor, Cause, FormatError, Meta, Origin, Point, Version, checksum, wide};
use capstan_media::{Barcode, CartridgeId, Partition};

const CARTRIDGE: CartridgeId = CartridgeId(*b"capstan-fixture1");

fn fixture(name: &str, written: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    if std::env::var_os("CAPSTAN_BLESS").is_some() && !path.exists() {
        std::fs::write(&path, written).unwrap();
    }
    let stored = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(stored == written, "{name}: this release would write other bytes");
}

fn header() -> Header {
    Header {
        cartridge: CARTRIDGE,
        partition: Partition(0),
        sequence: 5,
        epoch: 2,
        start: Point { object: 7, filemark: 1, byte: 6000 },
        durable: 7,
        ancestors: vec![
            Ancestor { sequence: 3, start: Point { object: 4, filemark: 0, byte: 4000 } },
            Ancestor { sequence: 1, start: Point::default() },
        ],
    }
}

/// Blocks of 3 x 100, 1 x 17 and 1 x 1 bytes, two filemarks, a marker, one more block.
fn records() -> (Vec<u8>, Index) {
    let header = header();
    let seed = RecordSeed::new(CARTRIDGE, header.sequence);
    let mut bytes = header.encode();
    let mut index = Index::new(header.start);
    let mut durable = header.durable;
    let block = |length: u8| (0..length).map(|n| n ^ 0x5a).collect::<Vec<u8>>();
    let payloads = [Some(100), Some(100), Some(100), Some(17), Some(1), None, Some(50)];
    for payload in payloads {
        let (object, offset) = (index.end().object, index.end_offset());
        let record = |kind, object, durable| RecordHeader { kind, object, epoch: header.epoch, durable };
        match payload.map(block) {
            Some(payload) => {
                let length = u32::try_from(payload.len()).unwrap();
                let kind = RecordKind::Block { length, crc: checksum(&payload) };
                bytes.extend(record(kind, object, durable).encode(seed, offset));
                bytes.extend(payload);
                index.push_blocks(length, 1);
            }
            None => {
                bytes.extend(record(RecordKind::Filemarks { count: 2 }, object, durable).encode(seed, offset));
                index.push_filemarks(2);
                durable = index.end().object;
                bytes.extend(record(RecordKind::Marker, durable, durable).encode(seed, index.end_offset()));
                index.push_gap(48, 0);
            }
        }
    }
    (bytes, index)
}

const END: Point = Point { object: 15, filemark: 3, byte: 6368 };

fn expected_runs() -> Vec<RunKind> {
    vec![
        RunKind::Blocks { length: 100, count: 3 },
        RunKind::Blocks { length: 17, count: 1 },
        RunKind::Blocks { length: 1, count: 1 },
        RunKind::Filemarks { count: 2 },
        RunKind::Gap { bytes: 48, objects: 0 },
        RunKind::Blocks { length: 50, count: 1 },
    ]
}

fn kinds(index: &Index) -> Vec<RunKind> {
    index.runs().map(|run: Run| run.kind).collect()
}

#[test]
fn a_sealed_segment() {
    let (mut bytes, index) = records();
    let encoded = index.encode();
    let trailer = Trailer {
        cartridge: CARTRIDGE,
        sequence: 5,
        epoch: 2,
        end: index.end(),
        index_offset: wide(bytes.len()),
        index_length: wide(encoded.len()),
        index_crc: checksum(&encoded),
    };
    bytes.extend(&encoded);
    bytes.extend(trailer.encode());
    fixture("segment-v1-sealed.seg", &bytes);

    assert_eq!(Header::decode(&bytes), Ok(header()));
    let read = Trailer::decode(&bytes[bytes.len() - TRAILER_LENGTH..], wide(bytes.len())).unwrap();
    assert_eq!((read.end, read.belongs_to(&header())), (END, true));
    let begin = usize::try_from(read.index_offset).unwrap();
    let stored = &bytes[begin..bytes.len() - TRAILER_LENGTH];
    assert_eq!(checksum(stored), read.index_crc);
    let index = Index::decode(stored, header().start).unwrap();
    assert_eq!((index.end(), index.end_offset(), kinds(&index)), (END, read.index_offset, expected_runs()));
    let found = scan(&bytes[..begin], &header(), 0);
    assert_eq!((kinds(&found.index), found.durable, found.stopped), (expected_runs(), 14, None));
}

#[test]
fn a_segment_of_a_process_that_died_with_a_torn_tail() {
    let (mut bytes, index) = records();
    let length = bytes.len();
    bytes[length - 20..].fill(0);
    fixture("segment-v1-torn.seg", &bytes);
    let found = scan(&bytes, &header(), 0);
    assert_eq!(found.index.end().object, 14, "up to the marker");
    assert!(matches!(found.stopped.unwrap().error, FormatError::Checksum { .. }));
    assert!(found.damage.is_empty());
    assert_eq!(found.index.end_offset(), index.end_offset() - 98);
}

#[test]
fn a_segment_with_damage_in_what_was_synchronised() {
    let (mut bytes, _) = records();
    bytes[1024 + 148 + 5] ^= 0xff;
    bytes[1024 + 2 * 148 + 60] ^= 0x01;
    fixture("segment-v1-damaged.seg", &bytes);
    let found = scan(&bytes, &header(), 0);
    assert_eq!((found.index.end(), kinds(&found.index)), (END, expected_runs()), "all extents are known");
    assert_eq!(found.damage.iter().map(|damage| damage.object).collect::<Vec<_>>(), [8]);
    assert_eq!(found.durable, 14);
}

#[test]
fn metadata() {
    let meta = Meta {
        cartridge: CARTRIDGE,
        barcode: Barcode::new("FIX001L8").unwrap(),
        capacity: 12_000_000_000_000,
        protected: true,
        open: false,
        epoch: 2,
        next_sequence: 6,
        end: END,
        ancestors: [vec![Ancestor { sequence: 5, start: header().start }], header().ancestors].concat(),
        ..Meta::blank(CARTRIDGE, Barcode::new("FIX001L8").unwrap(), 12_000_000_000_000)
    };
    let mut bytes = meta.encode();
    fixture("cartridge-v1.meta", &bytes);
    assert_eq!(Meta::decode(&bytes), Ok(meta.clone()));
    bytes[..512].fill(0xff);
    fixture("cartridge-v1-first-copy-lost.meta", &bytes);
    assert_eq!(Meta::decode(&bytes), Ok(meta.clone()));

    let origin = Origin { cartridge: CartridgeId([0x0f; 16]), barcode: Barcode::new("FIX000L8").unwrap(), below: 3 };
    let version = |number, cause, held| Version {
        number,
        cause,
        held,
        until: 1_795_000_000_000,
        end: header().start,
        ancestors: header().ancestors,
        below: 5,
    };
    let versions = vec![version(1, Cause::Overwritten, false), version(4, Cause::RolledBack, true)];
    let meta = Meta { origins: vec![origin], versions, last_version: 4, ..meta };
    let mut bytes = meta.encode();
    fixture("cartridge-v2.meta", &bytes);
    assert_eq!(Meta::decode(&bytes), Ok(meta.clone()));
    bytes[1024..1024 + 3 * 256].fill(0xff);
    fixture("cartridge-v2-first-entries-lost.meta", &bytes);
    assert_eq!(Meta::decode(&bytes), Ok(meta));
}

#[test]
fn metadata_of_a_newer_release() {
    let blank = Meta::blank(CARTRIDGE, Barcode::new("FIX001L8").unwrap(), 1);
    let mut bytes = blank.encode();
    for copy in [0, 512] {
        bytes[copy + 8] = 3;
    }
    fixture("cartridge-v3.meta", &bytes);
    assert_eq!(Meta::decode(&bytes), Err(FormatError::NewerVersion { version: 3, known: 2 }));
}
