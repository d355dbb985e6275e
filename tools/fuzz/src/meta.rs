//! `cartridge.meta`, and the headers and trailers of segments, from any bytes.
//!
//! Invariants: what decodes encodes to what decodes to the same; a value that a writer writes comes back equal; when
//! bytes of it are changed, reading gives that same value or an error, never another value; where bytes are forged with
//! good checksums, what is accepted leads back to the beginning of the tape and holds its own limits.

use capstan_format::segment::{HEADER_LENGTH, Header, TRAILER_LENGTH, Trailer};
use capstan_format::{ANCESTORS, Ancestor, Cause, Meta, Point, Version, checksum, wide};
use capstan_media::{Barcode, CartridgeId, Partition};

use crate::memory::peak_of;
use crate::script::Script;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => changed(&mut script),
        1 => decode(script.rest()),
        _ => forged(&mut script),
    }
}

/// A good file with some bytes changed, or cut.
fn changed(script: &mut Script<'_>) {
    let meta = meta(script);
    let header = Header {
        cartridge: meta.cartridge,
        partition: Partition(script.byte()),
        sequence: meta.next_sequence,
        epoch: meta.epoch,
        start: meta.end,
        durable: meta.end.object / 2,
        ancestors: meta.ancestors.clone(),
    };
    let (mut bytes, mut header_bytes) = (meta.encode(), header.encode());
    assert_eq!((bytes.len(), header_bytes.len()), (meta.length(), 2 * HEADER_LENGTH));
    assert_eq!(Meta::decode(&bytes), Ok(meta.clone()));
    assert_eq!(Header::decode(&header_bytes), Ok(header.clone()));
    while !script.is_over() {
        let (at, xor) = (script.below(bytes.len()), script.byte());
        bytes[at] ^= xor;
        let in_header = at % header_bytes.len();
        header_bytes[in_header] ^= xor;
        if xor == 0 {
            bytes.truncate(at);
            header_bytes.truncate(in_header);
            break;
        }
    }
    if let Ok(found) = Meta::decode(&bytes) {
        assert_eq!(found, meta, "another meta than was written");
    }
    if let Ok(found) = Header::decode(&header_bytes) {
        assert_eq!(found, header, "another header than was written");
    }
}

/// A meta as a writer would write it.
fn meta(script: &mut Script<'_>) -> Meta {
    let characters = b"ABCXYZ0189-_$+";
    let length = 1 + script.below(32);
    let text: String = (0..length).map(|_| char::from(script.pick(characters))).collect();
    let count = script.below(ANCESTORS + 1);
    let mut ancestors = Vec::new();
    let (mut sequence, mut start) = (0, Point::default());
    for index in 0..count {
        sequence += 1 + u64::from(script.byte());
        // Fewer than all of them begin at the beginning.
        if index > 0 || count == ANCESTORS {
            start = further(script, start);
        }
        ancestors.insert(0, Ancestor { sequence, start });
    }
    let end = if count > 0 { further(script, start) } else { start };
    Meta {
        cartridge: CartridgeId(script.array()),
        barcode: Barcode::new(&text).expect("made of what is allowed"),
        capacity: script.u64(),
        protected: script.flag(),
        open: script.flag(),
        epoch: script.u64(),
        next_sequence: sequence + 1 + u64::from(script.byte()),
        end,
        origins: Vec::new(),
        versions: versions(script, sequence, &ancestors, end),
        last_version: 4,
        ancestors,
    }
}

/// Up to three versions that are like the tape.
fn versions(script: &mut Script<'_>, last: u64, ancestors: &[Ancestor], end: Point) -> Vec<Version> {
    let count = script.byte() % 4;
    let version = |number| Version {
        number,
        cause: if script.flag() { Cause::RolledBack } else { Cause::Overwritten },
        held: script.flag(),
        until: script.u64(),
        end,
        ancestors: ancestors.to_vec(),
        below: last.saturating_add(1),
    };
    (1..=u32::from(count)).map(version).collect()
}

fn further(script: &mut Script<'_>, point: Point) -> Point {
    let objects = 1 + u64::from(script.u16());
    point.after(objects, u64::from(script.byte()).min(objects), u64::from(script.u32()))
}

/// Any bytes after the beginning that each structure has, with a checksum that holds.
fn forged(script: &mut Script<'_>) {
    let kind = script.byte() % 3;
    let (magic, length): (&[u8], usize) = match kind {
        0 => (b"CAPSTCRT\x01\0", HEADER_LENGTH),
        1 => (b"CAPSTSEG\x01\0\0\x02\0\0\0\0", HEADER_LENGTH),
        _ => (b"CAPSTEND\x01\0", TRAILER_LENGTH),
    };
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(script.take(length - magic.len() - 4));
    bytes.resize(length - 4, 0);
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes.extend_from_slice(script.rest());
    decode(&bytes);
}

fn decode(bytes: &[u8]) {
    let ((), peak) = peak_of(|| decode_all(bytes));
    assert!(peak <= 16 << 10, "{peak} bytes for {}", bytes.len());
}

fn decode_all(bytes: &[u8]) {
    if let Ok(meta) = Meta::decode(bytes) {
        assert_eq!(Meta::decode(&meta.encode()), Ok(meta.clone()));
        assert_eq!(Barcode::new(meta.barcode.as_str()), Ok(meta.barcode));
        assert!(meta.next_sequence > 0 && meta.end.filemark <= meta.end.object);
        lead_back(&meta.ancestors, meta.next_sequence, meta.end);
        meta.versions.iter().for_each(|version| lead_back(&version.ancestors, version.below, version.end));
    }
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
        assert!(header.sequence > 0 && header.durable <= header.start.object);
        lead_back(&header.ancestors, header.sequence, header.start);
    }
    let tail = bytes.get(..TRAILER_LENGTH).unwrap_or(bytes);
    for length in [wide(bytes.len()), wide(TRAILER_LENGTH), 1 << 20] {
        if let Ok(trailer) = Trailer::decode(tail, length) {
            assert_eq!(Trailer::decode(&trailer.encode(), length), Ok(trailer));
            let end = trailer.index_offset + trailer.index_length + wide(TRAILER_LENGTH);
            assert_eq!(end, length, "the index ends where the trailer begins");
        }
    }
}

/// Each ancestor comes before its successor; all together reach the beginning, if there are fewer than fit.
fn lead_back(ancestors: &[Ancestor], sequence: u64, start: Point) {
    assert!(ancestors.len() <= ANCESTORS);
    let (mut sequence, mut start) = (sequence, start);
    for ancestor in ancestors {
        assert!(ancestor.sequence < sequence && ancestor.start.object < start.object);
        (sequence, start) = (ancestor.sequence, ancestor.start);
    }
    assert!(ancestors.len() == ANCESTORS || start == Point::default());
}
