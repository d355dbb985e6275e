//! Whatever is written comes back, and whatever is changed is seen: headers, tables and trailers of objects, deltas,
//! logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use capstan_format::manifest::{Delta, Kind, RecoveryPoint, Release, Row, read_log};
use capstan_format::object::{FRAME_SIZE_MIN, FrameEntry, FrameHead, Header, KeyId, Protection, Table, Trailer};
use capstan_format::{Ancestor, Point, wide};
use capstan_media::{CartridgeId, GatewayId, Partition};
use proptest::prelude::*;

fn header() -> impl Strategy<Value = Header> {
    let protection = proptest::option::of((any::<[u8; 32]>(), any::<[u8; 8]>()));
    (any::<[u8; 16]>(), 1_u64.., any::<u64>(), 0_u64..40_000, 0_u32..=8, protection).prop_map(
        |(cartridge, sequence, epoch, plain_length, size, protection)| Header {
            cartridge: CartridgeId(cartridge),
            sequence,
            epoch,
            plain_length,
            frame_size: FRAME_SIZE_MIN << size,
            protection: protection.map(|(salt, key)| Protection { salt, key: KeyId(key) }),
        },
    )
}

/// Frames as a writer may make them: raw, or compressed to less.
fn table(header: &Header, choices: &[(bool, u16, u32)]) -> (Table, u64) {
    let mut offset = 128;
    let mut frames = Vec::new();
    for number in 0..header.frames() {
        let (compressed, fraction, crc) = choices[usize::try_from(number).unwrap() % choices.len()];
        let plain = header.frame_length(number).unwrap();
        let stored = (plain * u32::from(fraction) / 65_536).max(1);
        let compressed = compressed && stored < plain;
        let tag = if header.protection.is_some() { 16 } else { 0 };
        let head = FrameHead { length: tag + if compressed { stored } else { plain }, compressed };
        frames.push(FrameEntry { offset, head, crc });
        offset += head.total();
    }
    (Table { frames, plain_hash: [7; 32] }, offset)
}

fn row() -> impl Strategy<Value = Row> {
    let points = (0_u64..1 << 40, 0_u64..1000, any::<u32>(), 0_u64..1000, 0_u64..1000, any::<u32>());
    (1_u64.., any::<u64>(), points, any::<(u64, u64)>(), any::<[u8; 32]>(), any::<(bool, bool)>()).prop_map(
        |(sequence, epoch, points, (random, object_length), object_hash, (encrypted, compressed))| {
            let (objects, filemarks, bytes, more, more_filemarks, more_bytes) = points;
            let before = sequence > 1 && objects > 0;
            let start = Point::default().after(if before { objects } else { 0 }, 0, 0);
            let start = start.after(0, filemarks.min(start.object), if before { u64::from(bytes) } else { 0 });
            Row {
                sequence,
                epoch,
                partition: Partition(0),
                start,
                end: start.after(more, more_filemarks.min(more), u64::from(more_bytes)),
                ancestors: if before { vec![Ancestor { sequence: 1, start: Point::default() }] } else { Vec::new() },
                segment_length: u64::from(more_bytes),
                random,
                object_length,
                object_hash,
                encrypted,
                compressed,
            }
        },
    )
}

prop_compose! {
    fn delta()(
        checkpoint: bool,
        numbers: [u64; 3],
        identities: ([u8; 16], [u8; 16], [u8; 16]),
        meta in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..40)),
        rows in proptest::collection::vec(row(), 0..4),
        releases in proptest::collection::vec(any::<[u64; 4]>(), 0..4),
        points in proptest::collection::vec(any::<[u64; 2]>(), 0..4),
    ) -> Delta {
        Delta {
            kind: if checkpoint { Kind::Checkpoint } else { Kind::Delta },
            number: numbers[0],
            cartridge: CartridgeId(identities.0),
            writer: GatewayId(identities.1),
            writer_epoch: numbers[1],
            nonce: identities.2,
            written: numbers[2],
            meta,
            rows,
            releases: releases
                .into_iter()
                .map(|[sequence, epoch, random, at]| Release { sequence, epoch, random, at })
                .collect(),
            points: points.into_iter().map(|[object, at]| RecoveryPoint { object, at }).collect(),
            handed_over: None,
        }
    }
}

/// Changes bytes; whether anything is different.
fn change(bytes: &mut Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) -> bool {
    let before = bytes.clone();
    for (at, xor) in changes {
        let at = at.index(bytes.len());
        bytes[at] ^= xor;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(before.len()));
    }
    *bytes != before
}

proptest! {
    #[test]
    fn headers_and_tables_come_back(
        header in header(),
        choices in proptest::collection::vec(any::<(bool, u16, u32)>(), 1..12),
    ) {
        prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
        let (table, end) = table(&header, &choices);
        let bytes = table.encode();
        prop_assert_eq!(Table::decode(&bytes, &header, end), Ok(table));
        prop_assert!(Table::decode(&bytes, &header, end + 1).is_err());
        let tag = if header.protection.is_some() { 16 } else { 0 };
        prop_assert_eq!(Trailer::footer_length_of(&header), wide(128 + bytes.len() + tag + 128));
        let lengths: u64 = (0..header.frames()).map(|n| u64::from(header.frame_length(n).unwrap())).sum();
        prop_assert_eq!(lengths, header.plain_length);
    }

    #[test]
    fn deltas_come_back_and_changes_are_seen(
        delta in delta(),
        changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4),
        cut: Option<prop::sample::Index>,
    ) {
        let mut bytes = delta.encode();
        prop_assert_eq!(Delta::decode(&bytes), Ok(delta));
        if change(&mut bytes, &changes, cut) {
            prop_assert!(Delta::decode(&bytes).is_err());
        }
    }

    #[test]
    fn a_log_gives_what_was_written_up_to_the_first_change(
        first in delta(),
        rest in proptest::collection::vec(delta(), 0..4),
        number in 0..u64::MAX - 10,
        changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 0..3),
        cut: Option<prop::sample::Index>,
    ) {
        let mut deltas = vec![Delta { kind: Kind::Checkpoint, number, ..first }];
        for delta in rest {
            let last = deltas.last().unwrap();
            deltas.push(Delta { cartridge: last.cartridge, number: last.number + 1, ..delta });
        }
        let mut bytes: Vec<u8> = deltas.iter().flat_map(Delta::encode).collect();
        let written = bytes.clone();
        change(&mut bytes, &changes, cut);
        let log = read_log(&bytes);
        let same = written.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
        let mut end = 0;
        let whole = deltas.iter().take_while(|delta| {
            end += delta.encode().len();
            end <= same
        });
        prop_assert_eq!(log.deltas.len(), whole.count());
        prop_assert_eq!(&log.deltas[..], &deltas[..log.deltas.len()]);
    }
}
