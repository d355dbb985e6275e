//! Deltas, logs of them, what they add up to, and claims.
//!
//! Invariants: what a writer writes comes back equal; a delta in which a byte was changed is refused, and a log gives the
//! deltas before the change and no others; a forged delta encodes to what decodes to the same; memory is bounded by
//! the bytes; the sum of deltas is that of a model, and a refused delta changes nothing.

use std::collections::BTreeMap;

use capstan_format::manifest::{
    CLAIM_LENGTH, Claim, ClaimKind, DELTA_LENGTH_MIN, Delta, Ending, Kind, Manifest, RecoveryPoint, Release, Row,
    read_log,
};
use capstan_format::{Ancestor, Point, checksum, wide};
use capstan_media::{Barcode, CartridgeId, GatewayId, Partition};

use crate::memory::peak_of;
use crate::script::Script;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 6 {
        0 => changed(&mut script),
        1 => log(&mut script),
        2 => decode(script.rest()),
        3 => claim(&mut script),
        4 => sum(&mut script),
        _ => forged(&mut script),
    }
}

fn row(script: &mut Script<'_>) -> Row {
    let sequence = 1 + u64::from(script.byte() % 8);
    let objects = if sequence > 1 { u64::from(script.byte()) } else { 0 };
    let start = Point::default().after(objects, u64::from(script.byte()).min(objects), objects * 3);
    let more = u64::from(script.byte());
    let first = Ancestor { sequence: 1, start: Point::default() };
    Row {
        sequence,
        epoch: u64::from(script.byte() % 4),
        partition: Partition(script.byte()),
        start,
        end: start.after(more, u64::from(script.byte()).min(more), script.u32().into()),
        ancestors: if objects > 0 { vec![first] } else { Vec::new() },
        segment_length: script.u32().into(),
        random: u64::from(script.byte() % 4),
        object_length: script.u64(),
        object_hash: [script.byte(); 32],
        encrypted: script.flag(),
        compressed: script.flag(),
    }
}

fn delta(script: &mut Script<'_>, kind: Kind, number: u64) -> Delta {
    let rows = (0..script.below(3)).map(|_| row(script)).collect();
    let releases = (0..script.below(3)).map(|_| release(script)).collect();
    let points =
        (0..script.below(3)).map(|_| RecoveryPoint { object: script.u64(), at: script.byte().into() }).collect();
    let meta = script.below(32);
    let meta = script.take(meta).to_vec();
    Delta {
        kind,
        number,
        cartridge: CartridgeId([7; 16]),
        writer: GatewayId([script.byte() % 2; 16]),
        writer_epoch: u64::from(script.byte() % 4),
        nonce: [script.byte(); 16],
        written: script.u32().into(),
        meta: (!meta.is_empty()).then_some(meta),
        rows,
        releases,
        points,
        handed_over: None,
    }
}

fn release(script: &mut Script<'_>) -> Release {
    let [sequence, epoch, random, at] = script.array::<4>();
    let (sequence, epoch, random) = (1 + u64::from(sequence % 8), u64::from(epoch % 4), u64::from(random % 4));
    Release { sequence, epoch, random, at: at.into() }
}

fn kind(script: &mut Script<'_>) -> Kind {
    if script.flag() { Kind::Checkpoint } else { Kind::Delta }
}

/// A good delta with some bytes changed, or cut.
fn changed(script: &mut Script<'_>) {
    let (kind, number) = (kind(script), script.u64());
    let delta = delta(script, kind, number);
    let good = delta.encode();
    assert_eq!(Delta::decode(&good), Ok(delta));
    let bytes = damage(script, &good);
    assert_eq!(Delta::decode(&bytes).is_ok(), bytes == good, "a change that nobody sees");
}

fn damage(script: &mut Script<'_>, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    while !script.is_over() {
        let (at, xor) = (script.below(good.len()), script.byte());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= xor;
        }
        if xor == 0 {
            bytes.truncate(at);
        }
    }
    bytes
}

/// Several deltas as a file, then changed.
fn log(script: &mut Script<'_>) {
    let begin = u64::from(script.byte());
    let mut deltas = vec![delta(script, Kind::Checkpoint, begin)];
    for number in begin + 1..begin + 1 + wide(script.below(4)) {
        let kind = kind(script);
        deltas.push(delta(script, kind, number));
    }
    let good: Vec<u8> = deltas.iter().flat_map(Delta::encode).collect();
    let bytes = damage(script, &good);
    let read = read_log(&bytes);
    let same = good.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    let mut end = 0;
    let whole = deltas.iter().take_while(|delta| {
        end += delta.encode().len();
        end <= same
    });
    let whole = whole.count();
    assert_eq!(read.deltas, deltas[..whole], "the deltas before the change, and no others");
    let length: usize = deltas[..whole].iter().map(|delta| delta.encode().len()).sum();
    assert_eq!(read.length, wide(length));
    assert_eq!(read.ending == Ending::Whole, bytes.len() == length);
    if whole + 1 >= deltas.len() {
        assert!(!matches!(read.ending, Ending::Damaged(_)), "nothing follows that could be hidden");
    }
}

/// Any counts and any content, with checksums and a hash that hold.
fn forged(script: &mut Script<'_>) {
    let mut bytes = b"CAPSTMAN\x01\0".to_vec();
    bytes.extend(script.pick(&[1_u16, 2, 1, 2, 3]).to_le_bytes());
    bytes.extend([0; 4]);
    let counts: [u32; 4] =
        std::array::from_fn(|_| if script.byte() == 255 { script.u32() } else { u32::from(script.byte() % 3) });
    let [meta, rows, releases, points] = counts.map(u64::from);
    let length = wide(DELTA_LENGTH_MIN) + meta + 256 * rows + 32 * releases + 16 * points;
    bytes.extend(length.to_le_bytes());
    bytes.extend(script.take(72));
    bytes.resize(96, 0);
    counts.iter().for_each(|count| bytes.extend(count.to_le_bytes()));
    bytes.resize(124, 0);
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes.extend(script.rest());
    let body = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(36);
    if body < 1 << 16 {
        bytes.resize(body, 0);
    }
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes.extend(checksum(&bytes).to_le_bytes());
    decode(&bytes);
}

/// A claim as a gateway writes it, changed; and one with a checksum that holds.
fn claim(script: &mut Script<'_>) {
    let text: String = (0..script.below(40)).map(|_| char::from(script.pick(b"ABC019-_$.+a \n"))).collect();
    let kind = match Barcode::new(&text) {
        Ok(barcode) if script.flag() => ClaimKind::Barcode(barcode, CartridgeId(script.array())),
        _ => ClaimKind::Gateway(text),
    };
    let claim = Claim { gateway: GatewayId(script.array()), kind, nonce: script.array(), created: script.u64() };
    let Some(good) = claim.encode() else { return };
    assert_eq!(Claim::decode(&good).as_ref(), Ok(&claim));
    let mut bytes = damage(script, &good);
    assert_eq!(Claim::decode(&bytes).is_ok(), bytes == good, "a change that nobody sees");
    bytes.resize(CLAIM_LENGTH - 4, 0);
    bytes.extend(checksum(&bytes).to_le_bytes());
    decode(&bytes);
}

fn decode(bytes: &[u8]) {
    let ((), peak) = peak_of(|| decode_all(bytes));
    assert!(peak <= (32 << 10) + 8 * bytes.len(), "{peak} bytes for {}", bytes.len());
}

fn decode_all(bytes: &[u8]) {
    if let Ok(delta) = Delta::decode(bytes) {
        assert_eq!(Delta::decode(&delta.encode()).as_ref(), Ok(&delta));
        assert!(delta.rows.iter().all(|row| row.sequence > 0 && row.start.object <= row.end.object));
    }
    if let Ok(claim) = Claim::decode(bytes) {
        let again = claim.encode().expect("what was read can be written");
        assert_eq!(Claim::decode(&again), Ok(claim));
    }
    let log = read_log(bytes);
    assert!(log.length <= wide(bytes.len()));
    assert!(log.deltas.first().is_none_or(|first| first.kind == Kind::Checkpoint));
    assert!(log.deltas.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
}

/// Deltas that often do not fit, against a model.
fn sum(script: &mut Script<'_>) {
    let Ok(mut manifest) = Manifest::begin(delta(script, Kind::Checkpoint, 0)) else { return };
    let mut model: BTreeMap<u64, Row> = manifest.rows.clone();
    let mut number = 0;
    while !script.is_over() {
        let kind = if script.byte().is_multiple_of(8) { Kind::Checkpoint } else { Kind::Delta };
        let mut next = delta(script, kind, number + 1);
        // Most releases name something that is there.
        for release in &mut next.releases {
            if let Some(row) = model.get(&release.sequence).filter(|_| release.at % 4 != 0) {
                (release.epoch, release.random) = (row.epoch, row.random);
            }
        }
        let before = manifest.clone();
        if manifest.apply(next.clone()).is_err() {
            assert_eq!(manifest, before, "a refused delta changes nothing");
            continue;
        }
        number += 1;
        if kind == Kind::Checkpoint {
            model.clear();
        } else {
            for release in &next.releases {
                let gone = model.remove(&release.sequence).expect("released what was there");
                assert_eq!((gone.epoch, gone.random), (release.epoch, release.random));
            }
        }
        for row in next.rows {
            assert!(model.insert(row.sequence, row).is_none(), "a segment twice");
        }
        assert_eq!((&manifest.rows, manifest.number), (&model, number));
        assert_eq!((manifest.writer, manifest.writer_epoch), (next.writer, next.writer_epoch));
    }
}
