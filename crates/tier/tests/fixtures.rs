//! The objects in `testdata/` are read by every release for ever. Where no compressor has a hand in it, this release
//! still writes the same bytes.
//!
//! `CAPSTAN_BLESS=1` writes files that are missing; one that is there is never replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use bytes::Bytes;
use std::path::Path;

use capstan_format::object::WrappedKey;
use capstan_tier::{ObjectFault, WrappingKey};
use support::{key, mixed, open, sealed, segment, small, whole};

fn fixture(name: &str, written: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    if std::env::var_os("CAPSTAN_BLESS").is_some() && !path.exists() {
        std::fs::write(&path, written).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn plain() -> Vec<u8> {
    mixed(4096 + 1500)
}

#[test]
fn as_it_is() {
    let written = sealed(&plain(), small(None, None)).body.to_bytes();
    assert!(fixture("object-v1-plain.object", &written) == written, "this release would write other bytes");
    assert!(whole(&written, None).unwrap() == plain());
}

#[test]
fn encrypted() {
    let key = key();
    let written = sealed(&plain(), small(None, Some(&key))).body.to_bytes();
    assert!(fixture("object-v1-encrypted.object", &written) == written, "this release would write other bytes");
    assert!(whole(&written, Some(&key)).unwrap() == plain());
    assert_eq!(open(&written, None).unwrap_err().fault, ObjectFault::NoKey(key.id()));
}

#[test]
fn compressed_with_and_without_encryption() {
    let key = key();
    for (name, key) in [("object-v1-zstd.object", None), ("object-v1-zstd-encrypted.object", Some(&key))] {
        let stored = fixture(name, &sealed(&plain(), small(Some(3), key)).body.to_bytes());
        assert!(stored.len() < plain().len());
        assert!(whole(&stored, key).unwrap() == plain(), "{name}");
    }
}

#[test]
fn of_a_segment_without_bytes() {
    let key = key();
    let written = sealed(&[], small(Some(3), Some(&key))).body.to_bytes();
    assert!(fixture("object-v1-empty.object", &written) == written, "this release would write other bytes");
    assert_eq!(whole(&written, Some(&key)), Ok(Vec::new()));
}

#[test]
fn damaged() {
    let mut written = sealed(&plain(), small(None, None)).body.to_bytes().to_vec();
    written[200] ^= 0x20;
    let stored = fixture("object-v1-damaged.object", &written);
    let opener = open(&stored, None).unwrap();
    let range = opener.stored_range(0..1);
    let (begin, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
    let error = opener.open_frame(0, &Bytes::copy_from_slice(&stored[begin..end])).unwrap_err();
    assert!(matches!(error.fault, ObjectFault::Checksum { .. }), "{error}");
    let next = end..usize::try_from(opener.stored_range(1..2).end).unwrap();
    assert!(opener.open_frame(1, &Bytes::copy_from_slice(&stored[next])).is_ok());
    assert_eq!(whole(&stored, None).unwrap_err().fault, ObjectFault::Hash("object"));
}

#[test]
fn the_key_of_the_encrypted_ones() {
    let wrapping = WrappingKey::new([0x33; 32]);
    let written = wrapping.wrap(&key(), segment().cartridge, 1, [0x44; 12]).unwrap().encode();
    let stored = fixture("key-v1.wrapped", &written);
    assert!(stored == written, "this release would write other bytes");
    let opened = wrapping.unwrap(&WrappedKey::decode(&stored).unwrap()).unwrap();
    assert_eq!(opened.id(), key().id());
}
