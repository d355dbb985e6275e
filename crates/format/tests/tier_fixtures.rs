//! The files of manifests, claims and wrapped keys in `testdata/` are read by every release for ever, and this one still
//! writes the same bytes. Whole objects, which need compression and encryption, are in `crates/tier/testdata`.
//!
//! `CAPSTAN_BLESS=1` writes files that are missing; one that is there is never replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use capstan_format::manifest::{
    Claim, ClaimKind, Delta, Ending, HandOver, Kind, Manifest, RecoveryPoint, Release, Row, read_log,
};
use capstan_format::object::{KeyId, WrappedKey};
use capstan_format::{Ancestor, FormatError, Meta, Point};
use capstan_media::{Barcode, CartridgeId, GatewayId, Partition};

const CARTRIDGE: CartridgeId = CartridgeId(*b"capstan-fixture1");
const GATEWAY: GatewayId = GatewayId(*b"capstan-gateway1");

fn fixture(name: &str, written: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    if std::env::var_os("CAPSTAN_BLESS").is_some() && !path.exists() {
        std::fs::write(&path, written).unwrap();
    }
    let stored = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(stored == written, "{name}: this release would write other bytes");
}

fn row(sequence: u64, start: Point, end: Point, ancestors: Vec<Ancestor>) -> Row {
    Row {
        sequence,
        epoch: 2,
        partition: Partition(0),
        start,
        end,
        ancestors,
        segment_length: 1024 + end.byte - start.byte,
        random: 0x0123_4567_89ab_cdef + sequence,
        object_length: 2000,
        object_hash: [0xb3; 32],
        encrypted: sequence == 3,
        compressed: true,
    }
}

/// A checkpoint with a segment, a delta with one more, and one in which the host has overwritten it.
fn deltas() -> Vec<Delta> {
    let (begin, middle) = (Point::default(), Point { object: 4, filemark: 0, byte: 4000 });
    let end = Point { object: 9, filemark: 2, byte: 6000 };
    let first = Ancestor { sequence: 1, start: begin };
    let meta = Meta {
        protected: true,
        epoch: 2,
        next_sequence: 3,
        end,
        ancestors: vec![Ancestor { sequence: 2, start: middle }, first],
        ..Meta::blank(CARTRIDGE, Barcode::new("FIX001L8").unwrap(), 1 << 30)
    };
    let delta = |kind, number, rows| Delta {
        kind,
        number,
        cartridge: CARTRIDGE,
        writer: GATEWAY,
        writer_epoch: 7,
        nonce: [u8::try_from(number).unwrap(); 16],
        written: 1_795_000_000_000 + number,
        meta: None,
        rows,
        releases: Vec::new(),
        points: Vec::new(),
        handed_over: None,
    };
    vec![
        Delta { meta: Some(meta.encode()), ..delta(Kind::Checkpoint, 64, vec![row(1, begin, middle, Vec::new())]) },
        Delta {
            points: vec![RecoveryPoint { object: 9, at: 1_795_000_000_001 }],
            ..delta(Kind::Delta, 65, vec![row(2, middle, end, vec![first])])
        },
        Delta {
            releases: vec![Release { sequence: 2, epoch: 2, random: 0x0123_4567_89ab_cdf1, at: 1_795_000_000_002 }],
            ..delta(Kind::Delta, 66, vec![row(3, middle, middle, vec![first])])
        },
    ]
}

fn log() -> Vec<u8> {
    deltas().iter().flat_map(Delta::encode).collect()
}

#[test]
fn a_checkpoint_and_a_delta() {
    let [checkpoint, delta, _] = deltas().try_into().unwrap();
    fixture("manifest-v1-checkpoint.delta", &checkpoint.encode());
    fixture("manifest-v1-delta.delta", &delta.encode());
    assert_eq!(Delta::decode(&checkpoint.encode()), Ok(checkpoint));
    assert_eq!(Delta::decode(&delta.encode()), Ok(delta));
}

#[test]
fn a_delta_of_a_newer_release() {
    let mut bytes = deltas()[1].encode();
    bytes[8] = 2;
    // Once it was newer; that its checksum is wrong was not looked at.
    fixture("manifest-v2.delta", &bytes);
    assert!(matches!(Delta::decode(&bytes), Err(FormatError::Checksum { .. })));
    bytes[8] = 3;
    fixture("manifest-v3.delta", &bytes);
    assert_eq!(Delta::decode(&bytes), Err(FormatError::NewerVersion { version: 3, known: 2 }));
}

#[test]
fn a_tape_that_is_given_away() {
    for (name, to) in [("anybody", None), ("one", Some(GatewayId([0x44; 16])))] {
        let delta = Delta { handed_over: Some(HandOver { to }), ..deltas().remove(1) };
        fixture(&format!("manifest-v2-for-{name}.delta"), &delta.encode());
        assert_eq!(Delta::decode(&delta.encode()), Ok(delta));
    }
}

#[test]
fn a_log_whole_torn_and_damaged() {
    let mut bytes = log();
    fixture("shipped-v1-whole.log", &bytes);
    let read = read_log(&bytes);
    assert_eq!((&read.deltas, read.ending), (&deltas(), Ending::Whole));
    let mut chain = read.deltas.into_iter();
    let mut manifest = Manifest::begin(chain.next().unwrap()).unwrap();
    chain.for_each(|delta| manifest.apply(delta).unwrap());
    assert_eq!(manifest.rows.keys().collect::<Vec<_>>(), [&1, &3]);
    assert_eq!((manifest.number, manifest.releases.len(), manifest.points.len()), (66, 1, 1));
    assert_eq!(Meta::decode(&manifest.meta.unwrap()).unwrap().end.object, 9);

    let cut = bytes.len() - 100;
    bytes[cut..].fill(0);
    fixture("shipped-v1-torn.log", &bytes);
    let torn = read_log(&bytes);
    assert_eq!(torn.deltas, deltas()[..2]);
    assert!(matches!(torn.ending, Ending::Torn(FormatError::Checksum { .. })));

    let mut bytes = log();
    let second = deltas()[0].encode().len();
    bytes[second + 200] ^= 1;
    fixture("shipped-v1-damaged.log", &bytes);
    let damaged = read_log(&bytes);
    assert_eq!(damaged.deltas, deltas()[..1]);
    assert!(matches!(damaged.ending, Ending::Damaged(FormatError::Checksum { .. })));
}

#[test]
fn claims() {
    let kind = ClaimKind::Barcode(Barcode::new("FIX001L8").unwrap(), CARTRIDGE);
    let gateway = ClaimKind::Gateway("gw".to_owned());
    for (name, kind) in [("claim-v1-barcode.claim", kind), ("claim-v1-gateway.claim", gateway)] {
        let claim = Claim { gateway: GATEWAY, kind, nonce: [5; 16], created: 1_795_000_000_000 };
        let bytes = claim.encode().unwrap();
        fixture(name, &bytes);
        assert_eq!(Claim::decode(&bytes), Ok(claim));
    }
}

#[test]
fn a_wrapped_key() {
    let key = WrappedKey {
        number: 1,
        cartridge: CARTRIDGE,
        wrapping_key: KeyId([1; 8]),
        key: KeyId([2; 8]),
        nonce: [3; 12],
        ciphertext: [4; 32],
        tag: [5; 16],
    };
    fixture("key-v1.wrapped", &key.encode());
    assert_eq!(WrappedKey::decode(&key.encode()), Ok(key));
}
