//! Objects: what is sealed can be opened, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use bytes::Bytes;
use std::io::{self, Read};

use capstan_format::object::{Header, TRAILER_LENGTH, Trailer};
use capstan_format::{FormatError, checksum};
use capstan_tier::{
    CartridgeKey, Fault, MemoryTier, ObjectFault, OpenError, Opener, SealError, SealOptions, SegmentId, Tier, Whole,
    check_object, seal,
};
use proptest::prelude::*;
use support::{key, mixed, noise, open, sealed, segment, small, whole};

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

proptest! {
    #[test]
    fn any_segment_comes_back(
        length in prop_oneof![0_usize..20_000, Just(0), Just(1), Just(4096), Just(4097), Just(8191), Just(8192)],
        compressible: bool,
        zstd in proptest::option::of(1..4),
        encrypt: bool,
        size in 0_u32..3,
        range in (0_u64..21_000, 0_u64..21_000),
    ) {
        let plain = if compressible { mixed(length) } else { noise(length) };
        let key = key();
        let key = encrypt.then_some(&key);
        let sealed = sealed(&plain, SealOptions { frame_size: 4096 << size, ..small(zstd, key) });
        let object = sealed.body.to_bytes();
        prop_assert_eq!(sealed.encrypted, encrypt);
        prop_assert_eq!(sealed.hash, *blake3::hash(&object).as_bytes());
        prop_assert_eq!(sealed.plain_hash, *blake3::hash(&plain).as_bytes());
        prop_assert!(zstd.is_some() || !sealed.compressed);
        prop_assert!(whole(&object, key).unwrap() == plain);

        let opener = open(&object, key).unwrap();
        prop_assert_eq!((opener.plain_length(), opener.plain_hash()), (length as u64, sealed.plain_hash));
        let frames = opener.frames_of(range.0..range.1);
        let stored = opener.stored_range(frames.clone());
        let stored = Bytes::copy_from_slice(&object[usize_of(stored.start)..usize_of(stored.end)]);
        let run = opener.open_run(frames.clone(), &stored).unwrap().concat();
        let begin = usize_of(opener.plain_offset(frames.start));
        let (start, end) = (usize_of(range.0).min(length), usize_of(range.1).min(length));
        if start < end {
            prop_assert!(run[start - begin..end - begin] == plain[start..end]);
        } else {
            prop_assert!(run.is_empty());
        }
    }
}

#[test]
fn whole_segments_take_frames_of_a_mebibyte_and_raw_ones_cost_little() {
    let plain = noise((3 << 20) + 5);
    let key = key();
    let sealed = sealed(&plain, SealOptions { frame_size: 1 << 20, ..small(Some(3), Some(&key)) });
    assert!(!sealed.compressed, "noise is kept as it is");
    assert_eq!(sealed.body.length(), plain.len() as u64 + 128 + 4 * 20 + 128 + 4 * 16 + 32 + 16 + 128);
    let object = sealed.body.to_bytes();
    assert_eq!(open(&object, Some(&key)).unwrap().frames(), 4);
    assert!(whole(&object, Some(&key)).unwrap() == plain);
    let same = vec![9; 3 << 20];
    let squeezed = support::sealed(&same, SealOptions { frame_size: 1 << 20, ..small(Some(1), None) });
    assert!(squeezed.compressed && squeezed.body.length() < 1500, "{} bytes", squeezed.body.length());
}

#[test]
fn every_flipped_bit_is_detected() {
    let plain = mixed(4096 + 700);
    let key = key();
    for key in [None, Some(&key)] {
        let good = sealed(&plain, small(Some(3), key)).body.to_bytes();
        assert!(whole(&good, key).unwrap() == plain);
        let mut object = good.to_vec();
        for bit in 0..object.len() * 8 {
            object[bit / 8] ^= 1 << (bit % 8);
            assert!(whole(&object, key).is_err(), "bit {bit} of {}", object.len());
            assert!(check_object("x", &object).is_err(), "bit {bit} of {}, without a key", object.len());
            object[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_damaged_frame_is_named_and_the_others_can_be_read() {
    let plain = mixed(3 * 4096);
    let key = key();
    for key in [None, Some(&key)] {
        let good = sealed(&plain, small(Some(3), key)).body.to_bytes();
        let opener = open(&good, key).unwrap();
        let ranges: Vec<_> = (0..3).map(|frame| opener.stored_range(frame..frame + 1)).collect();
        for bit in (128 * 8..usize_of(ranges[2].end) * 8).step_by(5) {
            let mut object = good.to_vec();
            object[bit / 8] ^= 1 << (bit % 8);
            let opener = open(&object, key).unwrap();
            for (frame, range) in (0..).zip(&ranges) {
                let (begin, end) = (usize_of(range.start), usize_of(range.end));
                let read = opener.open_frame(frame, &Bytes::copy_from_slice(&object[begin..end]));
                if (begin..end).contains(&(bit / 8)) {
                    let error = read.unwrap_err();
                    assert_eq!((error.key.as_str(), error.frame, error.offset), ("v1/x", Some(frame), range.start));
                } else {
                    assert!(read.unwrap() == plain[usize_of(frame) * 4096..][..4096]);
                }
            }
        }
    }
}

#[test]
fn an_object_that_is_cut_anywhere_is_refused() {
    let plain = mixed(9000);
    let key = key();
    let object = sealed(&plain, small(Some(3), Some(&key))).body.to_bytes();
    for length in 0..object.len() {
        assert!(whole(&object[..length], Some(&key)).is_err(), "cut at {length}");
    }
    assert!(whole(&[&object[..], &[0]].concat(), Some(&key)).is_err());
    let opener = open(&object, Some(&key)).unwrap();
    let mut unfinished = Whole::new(&opener);
    let first = opener.stored_range(0..1);
    unfinished.frame(&Bytes::copy_from_slice(&object[usize_of(first.start)..usize_of(first.end)])).unwrap();
    assert_eq!(unfinished.finish().unwrap_err().fault, ObjectFault::NoSuchFrame(3), "frames are missing");
}

#[test]
fn frames_cannot_be_exchanged() {
    let plain = vec![3; 3 * 4096];
    let key = key();
    let object = |segment: SegmentId, salt: u8| {
        let options = SealOptions { key: Some((&key, [salt; 32])), ..small(None, None) };
        seal(segment, plain.len() as u64, &mut &plain[..], options).unwrap().body.to_bytes()
    };
    let good = object(segment(), 1);
    let opener = open(&good, Some(&key)).unwrap();
    let frame = |object: &[u8], number: u64| {
        let range = opener.stored_range(number..number + 1);
        object[usize_of(range.start)..usize_of(range.end)].to_vec()
    };
    assert!(opener.open_frame(1, &frame(&good, 1).into()).is_ok());
    let another_cartridge = SegmentId { cartridge: capstan_media::CartridgeId([9; 16]), ..segment() };
    for (what, stored) in [
        ("of another number", frame(&good, 0)),
        ("the last one", frame(&good, 2)),
        ("of another object of the same segment", frame(&object(segment(), 2), 1)),
        ("of another segment", frame(&object(SegmentId { sequence: 6, ..segment() }, 1), 1)),
        ("of another cartridge", frame(&object(another_cartridge, 1), 1)),
    ] {
        assert_eq!(
            opener.open_frame(1, &stored.clone().into()).unwrap_err().fault,
            ObjectFault::Authentication,
            "{what}"
        );
    }
}

/// Somebody without the key, who can make all checksums and hashes hold.
fn forge(object: &[u8], change: impl Fn(&mut Header, &mut Vec<u8>)) -> Vec<u8> {
    let (before, trailer) = object.split_last_chunk::<TRAILER_LENGTH>().unwrap();
    let trailer = Trailer::decode(trailer, object.len() as u64).unwrap();
    let footer = object.len() - usize_of(trailer.footer_length.into());
    let mut header = Header::decode(before).unwrap();
    let mut rest = before[footer + 128..].to_vec();
    change(&mut header, &mut rest);
    let mut forged = [&header.encode(), &before[128..footer], &header.encode(), &rest].concat();
    let trailer = Trailer {
        footer_length: u32::try_from(128 + rest.len() + TRAILER_LENGTH).unwrap(),
        object_length: (forged.len() + TRAILER_LENGTH) as u64,
        sequence: header.sequence,
        epoch: header.epoch,
        frames: u32::try_from(header.frames()).unwrap(),
        footer_crc: checksum(&forged[footer..]),
        hash: *blake3::hash(&forged).as_bytes(),
        ..trailer
    };
    forged.extend(trailer.encode());
    assert!(check_object("forged", &forged).is_ok(), "all that can be checked without a key holds");
    forged
}

#[test]
fn a_forger_without_the_key_gets_nowhere() {
    let plain = mixed(9000);
    let key = key();
    let object = sealed(&plain, small(Some(3), Some(&key))).body.to_bytes();
    let same = forge(&object, |_, _| ());
    assert!(same == object);
    let refused = |forged: Vec<u8>| {
        let fault = whole(&forged, Some(&key)).unwrap_err().fault;
        assert_eq!(fault, ObjectFault::Authentication);
    };
    refused(forge(&object, |header, rest| {
        // One frame less.
        header.plain_length = 8192;
        rest.drain(32..48);
    }));
    refused(forge(&object, |header, _| header.plain_length -= 1));
    refused(forge(&object, |header, _| header.protection.as_mut().unwrap().salt[0] ^= 1));
    refused(forge(&object, |_, rest| rest[0] ^= 1));
    refused(forge(&object, |_, rest| *rest.last_mut().unwrap() ^= 1));
    // In the name of another key, by whose owner it would be read.
    let other = CartridgeKey::new([0x22; 32]);
    let forged = forge(&object, |header, _| header.protection.as_mut().unwrap().key = other.id());
    assert_eq!(whole(&forged, Some(&other)).unwrap_err().fault, ObjectFault::Authentication);
    // As if nothing were encrypted: then the table is none.
    let forged = forge(&object, |header, rest| {
        header.protection = None;
        rest.truncate(rest.len() - 16);
    });
    assert!(matches!(whole(&forged, Some(&key)).unwrap_err().fault, ObjectFault::Format(FormatError::Field(_))));
    let forged = forge(&object, |header, _| header.sequence = 6);
    assert!(matches!(whole(&forged, Some(&key)).unwrap_err().fault, ObjectFault::AnotherSegment { .. }));
}

#[test]
fn a_missing_key_and_a_wrong_one_are_said_to_be() {
    let object = sealed(&mixed(9000), small(None, Some(&key()))).body.to_bytes();
    let other = CartridgeKey::new([0x22; 32]);
    let missing = open(&object, None).unwrap_err();
    assert_eq!(missing.fault, ObjectFault::NoKey(key().id()));
    assert!(missing.to_string().contains(&format!("is encrypted with key {}, and no key was given", key().id())));
    let wrong = open(&object, Some(&other)).unwrap_err();
    assert_eq!(wrong.fault, ObjectFault::AnotherKey { needs: key().id(), has: other.id() });
    // Who has a key may read what is not encrypted.
    let open_to_all = sealed(&mixed(9000), small(None, None)).body.to_bytes();
    assert!(whole(&open_to_all, Some(&other)).is_ok());
}

#[test]
fn no_plaintext_is_in_an_encrypted_object() {
    let plain = noise(20_000);
    let runs: std::collections::HashSet<&[u8]> = plain.windows(16).collect();
    let holds = |object: &[u8]| object.windows(16).any(|run| runs.contains(run));
    let hash = *blake3::hash(&plain).as_bytes();
    let crc = checksum(&plain[..4096]).to_le_bytes();
    let contains = |object: &[u8], part: &[u8]| object.windows(part.len()).any(|run| run == part);
    let clear = sealed(&plain, small(Some(3), None)).body.to_bytes();
    assert!(holds(&clear) && contains(&clear, &hash) && contains(&clear, &crc), "the test can fail");
    let key = key();
    let object = sealed(&plain, small(Some(3), Some(&key))).body.to_bytes();
    assert!(!holds(&object), "16 bytes of plaintext");
    assert!(!contains(&object, &hash) && !contains(&object, &crc), "nor sums of it");
}

/// Fails, or ends, after some bytes.
struct Source(u64, Option<io::ErrorKind>);

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0
            && let Some(kind) = self.1
        {
            return Err(kind.into());
        }
        let count = buffer.len().min(usize_of(self.0));
        self.0 -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_segment_of_another_length_or_that_cannot_be_read_is_no_object() {
    let seal = |length, mut source: Source| seal(segment(), length, &mut source, small(None, None)).unwrap_err();
    assert!(matches!(seal(9000, Source(8999, None)), SealError::Length(9000)));
    assert!(matches!(seal(9000, Source(9001, None)), SealError::Length(9000)));
    let failed = seal(9000, Source(5000, Some(io::ErrorKind::Other)));
    assert!(matches!(failed, SealError::Read { offset: 4096, .. }), "{failed}");
    let never = capstan_tier::seal(SegmentId { sequence: 0, ..segment() }, 1, &mut &[1_u8][..], small(None, None));
    assert!(matches!(never.unwrap_err(), SealError::Format(FormatError::Field("sequence"))));
    assert!(matches!(seal((1 << 40) + 1, Source(0, None)), SealError::Format(FormatError::Field("plain_length"))));
}

#[tokio::test]
async fn a_tier_is_asked_once_for_the_footer_and_once_for_each_run_of_frames() {
    let plain = mixed(50_000);
    let key = key();
    let object = sealed(&plain, small(Some(3), Some(&key)));
    let tier = MemoryTier::new("memory");
    tier.create("v1/x", object.body.clone()).await.unwrap();
    let length = object.body.length();
    let opener = Opener::fetch(&tier, "v1/x", length, segment(), Some(&key)).await.unwrap();
    assert_eq!(opener.read(&tier, 5000..30_001).await.unwrap(), plain[5000..30_001]);
    assert_eq!(opener.read(&tier, 49_999..60_000).await.unwrap(), plain[49_999..]);
    assert_eq!(opener.read(&tier, 50_000..60_000).await.unwrap().len(), 0);
    let frames = opener.stored_range(1..8);
    let requests: Vec<u64> = tier.requests().iter().skip(1).map(|request| request.length).collect();
    let last = opener.stored_range(12..13);
    assert_eq!(requests, [length, frames.end - frames.start, last.end - last.start]);

    // A bit that turns on the way is found by the frame that it is in.
    tier.fault_next(Fault::Flipped(8 * 100));
    let error = opener.read(&tier, 8192..12_288).await.unwrap_err();
    let OpenError::Object(error) = error else { panic!("{error}") };
    assert_eq!((error.frame, error.offset), (Some(2), opener.stored_range(2..3).start));
    tier.fault_next(Fault::Truncated(10));
    assert!(matches!(opener.read(&tier, 0..1).await, Err(OpenError::Tier(_))));
    let missing = Opener::fetch(&tier, "v1/y", length, segment(), Some(&key)).await;
    assert!(matches!(missing, Err(OpenError::Tier(_))));
    let cut = Opener::fetch(&tier, "v1/x", length - 1, segment(), Some(&key)).await;
    assert!(matches!(cut, Err(OpenError::Object(_))));
}

#[tokio::test]
async fn a_long_footer_takes_two_reads() {
    let plain = vec![1; 5000 * 4096];
    let object = sealed(&plain, small(Some(1), None));
    let tier = MemoryTier::new("memory");
    tier.create("v1/x", object.body.clone()).await.unwrap();
    let opener = Opener::fetch(&tier, "v1/x", object.body.length(), segment(), None).await.unwrap();
    assert_eq!(opener.frames(), 5000);
    let requests: Vec<u64> = tier.requests().iter().skip(1).map(|request| request.length).collect();
    assert_eq!(requests, [64 << 10, 128 + 5000 * 16 + 32 + 128]);
}
