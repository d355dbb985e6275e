//! Segments: what a scan makes of bytes that were a segment once.
//!
//! Invariants for a segment that was written and then changed in any way:
//! - nothing is invented: no object beyond those written, and what verifies is what was written;
//! - nothing is lost silently: objects in records before the first changed byte are there; what was on stable storage
//!   stays counted, and where it cannot be read the scan says so ([`Scan::damage`]);
//! - nothing is called durable that was not;
//! - memory stays within a small multiple of the bytes.
//!
//! For records with good checksums and any fields, and for any index bytes: the index agrees with itself.

use capstan_format::segment::{
    Header, Index, RECORD_HEADER_LENGTH, RECORDS_OFFSET, RecordHeader, RecordKind, RecordSeed, Run, RunKind, Scan,
    TRAILER_LENGTH, Trailer, scan, was_synchronised,
};
use capstan_format::{Ancestor, Point, checksum, wide};
use capstan_media::{CartridgeId, MAX_BLOCK_LENGTH, Partition};

use crate::memory::peak_of;
use crate::script::Script;

const CARTRIDGE: CartridgeId = CartridgeId(*b"fuzzed cartridge");

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 | 1 => damaged(&mut script),
        2 => forged(&mut script),
        _ => index(&mut script),
    }
}

/// What was written.
struct Written {
    header: Header,
    bytes: Vec<u8>,
    objects: Vec<Object>,
    /// Where each record ends, with the object after it.
    ends: Vec<(usize, u64)>,
    /// The highest object that a record calls durable.
    durable: u64,
    index: Index,
    /// A record says that something was synchronised.
    synchronised: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Object {
    Block(Vec<u8>),
    Filemark,
}

impl Written {
    fn new(script: &mut Script<'_>) -> Self {
        let first = u64::from(script.byte() % 4) * 1000;
        let start = Point { object: first, filemark: first / 10, byte: first * 100 };
        let ancestors = vec![Ancestor { sequence: 1, start: Point::default() }];
        let header = Header {
            cartridge: CARTRIDGE,
            partition: Partition(0),
            sequence: 2 + u64::from(script.byte() % 3),
            epoch: u64::from(script.byte() % 3),
            start,
            durable: first - u64::from(script.byte()).min(first),
            ancestors: if first > 0 { ancestors } else { Vec::new() },
        };
        let durable = header.durable;
        let (bytes, index) = (header.encode(), Index::new(start));
        Self { header, bytes, objects: Vec::new(), ends: Vec::new(), durable, index, synchronised: false }
    }

    fn end(&self) -> u64 {
        self.header.start.object + wide(self.objects.len())
    }

    fn put(&mut self, kind: RecordKind, payload: &[u8]) {
        let seed = RecordSeed::new(CARTRIDGE, self.header.sequence);
        let record = RecordHeader { kind, object: self.end(), epoch: self.header.epoch, durable: self.durable };
        self.synchronised |= kind == RecordKind::Marker || self.durable > self.header.start.object;
        self.bytes.extend(record.encode(seed, wide(self.bytes.len())));
        self.bytes.extend_from_slice(payload);
        match kind {
            RecordKind::Block { length, .. } => {
                self.objects.push(Object::Block(payload.to_vec()));
                self.index.push_blocks(length, 1);
            }
            RecordKind::Filemarks { count } => {
                self.objects.extend((0..count).map(|_| Object::Filemark));
                self.index.push_filemarks(u64::from(count));
            }
            RecordKind::Marker => self.index.push_gap(wide(RECORD_HEADER_LENGTH), 0),
        }
        self.ends.push((self.bytes.len(), self.end()));
    }

    fn write(&mut self, script: &mut Script<'_>) {
        for _ in 0..script.below(24) {
            match script.byte() {
                0..=15 => self.put(RecordKind::Filemarks { count: u32::from(script.byte() % 4) + 1 }, &[]),
                16..=63 => {
                    self.durable = self.end();
                    self.put(RecordKind::Marker, &[]);
                }
                choice => {
                    let length = [1, 7, 48, 100, 100, 100, 512, 700][usize::from(choice % 8)];
                    let payload: Vec<u8> = payload(self.end(), length);
                    let kind = RecordKind::Block { length: wide32(length), crc: checksum(&payload) };
                    self.put(kind, &payload);
                }
            }
        }
    }
}

/// Bytes with many `C`s, with which every record begins too.
fn payload(object: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| b"CRECapstan"[(usize::try_from(object).unwrap_or(0) + at * at) % 10]).collect()
}

fn wide32(length: usize) -> u32 {
    u32::try_from(length).expect("small")
}

fn damaged(script: &mut Script<'_>) {
    let mut written = Written::new(script);
    written.write(script);
    let sealed = script.flag();
    let trusted = match script.byte() % 4 {
        0 => written.end(),
        1 => written.durable,
        _ => 0,
    };
    let mut bytes = written.bytes.clone();
    if sealed {
        seal(&mut bytes, &written);
    }
    let whole = bytes.clone();
    change(&mut bytes, script);
    if sealed {
        check_sealed(&bytes, &written);
    }
    // A scan is of the records only: what follows them in a sealed segment is not looked at.
    let cut = if sealed { written.bytes.len().min(bytes.len()) } else { bytes.len() };
    let records = &bytes[..cut];
    let (found, peak) = peak_of(|| scan(records, &written.header, trusted));
    assert!(peak <= 16 * records.len() + 4096, "{peak} bytes for {}", records.len());
    agrees_with_itself(&found.index);
    check(&found, records, &written, trusted);
    let first_change = records.iter().zip(&whole).position(|(now, then)| now != then).unwrap_or(cut);
    check_prefix(&found, &written, first_change);
    if records == written.bytes {
        assert_eq!((&found.index, found.stopped, found.damage.as_slice()), (&written.index, None, &[][..]));
        assert_eq!(was_synchronised(records, CARTRIDGE, written.header.sequence), written.synchronised);
    }
    assert!(written.synchronised || !was_synchronised(records, CARTRIDGE, written.header.sequence));
    if let Ok(header) = Header::decode(records) {
        assert_eq!(header, written.header);
    }
}

fn seal(bytes: &mut Vec<u8>, written: &Written) {
    let encoded = written.index.encode();
    let trailer = Trailer {
        cartridge: CARTRIDGE,
        sequence: written.header.sequence,
        epoch: written.header.epoch,
        end: written.index.end(),
        index_offset: wide(bytes.len()),
        index_length: wide(encoded.len()),
        index_crc: checksum(&encoded),
    };
    assert!(wide(encoded.len()) <= written.index.encoded_length_limit());
    bytes.extend(encoded);
    bytes.extend(trailer.encode());
}

/// Flips, zeroes, cuts, repeats and moves bytes.
fn change(bytes: &mut Vec<u8>, script: &mut Script<'_>) {
    while !script.is_over() && !bytes.is_empty() {
        let (kind, at) = (script.byte() % 7, usize::from(script.u16()) % bytes.len());
        let end = (at + 1 + usize::from(script.byte()) * 3).min(bytes.len());
        match kind {
            0 => bytes[at] ^= 1 << (script.byte() % 8),
            1 => {
                let end = end.next_multiple_of(512).min(bytes.len());
                bytes[at / 512 * 512..end].fill(0);
            }
            2 => bytes.truncate(at),
            3 => bytes.extend_from_within(at..end),
            4 => {
                let to = usize::from(script.u16()) % (bytes.len() - (end - at) + 1);
                bytes.copy_within(at..end, to);
            }
            5 => bytes[at..end].fill(script.byte()),
            _ => drop(bytes.drain(at..end)),
        }
    }
}

/// A trailer that proves itself belongs to the index that was written.
fn check_sealed(bytes: &[u8], written: &Written) {
    let Some(tail) = bytes.last_chunk::<TRAILER_LENGTH>() else { return };
    let Ok(trailer) = Trailer::decode(tail, wide(bytes.len())) else { return };
    assert!(trailer.belongs_to(&written.header) && trailer.end == written.index.end());
    let from = usize::try_from(trailer.index_offset).expect("within the file");
    let stored = &bytes[from..bytes.len() - TRAILER_LENGTH];
    if checksum(stored) == trailer.index_crc {
        let index = Index::decode(stored, written.header.start).expect("as written");
        assert_eq!((index.encode(), index.end()), (written.index.encode(), written.index.end()));
        assert!(index.runs().eq(written.index.runs()));
    }
}

fn check(found: &Scan, bytes: &[u8], written: &Written, trusted: u64) {
    assert_eq!(found.index.start(), written.header.start);
    let end = found.index.end().object;
    assert!(end <= written.end(), "objects {end} of {} were invented", written.end());
    assert!(found.durable <= written.durable.max(trusted), "durable by nobody's word");
    assert!(found.durable >= trusted.max(written.header.durable) && end >= found.durable, "durable objects dropped");
    for run in found.index.runs() {
        for index in 0..run.objects() {
            check_object(found, bytes, written, &run, index);
        }
    }
    for damage in &found.damage {
        // At the end of what was durable it is a marker that is lost.
        assert!(damage.object <= found.durable, "damage is of what was durable");
    }
    assert!(found.damage.is_sorted_by_key(|damage| damage.offset));
}

/// One object of the index: it verifies as what was written, or it was durable and cannot be read.
fn check_object(found: &Scan, bytes: &[u8], written: &Written, run: &Run, index: u64) {
    let object = run.start.object + index;
    let original = &written.objects[usize::try_from(object - written.header.start.object).expect("small")];
    if let RunKind::Gap { .. } = run.kind {
        assert!(object < found.durable, "a gap that was never durable");
        assert!(!found.damage.is_empty(), "object {object} is lost and nobody says so");
        return;
    }
    match read(bytes, written, run, index) {
        Some(read) => assert_eq!(&read, original, "object {object} is another than was written"),
        None => assert!(object < found.durable, "object {object} was accepted unread"),
    }
}

/// Reads an object as a drive would: every checksum is verified.
fn read(bytes: &[u8], written: &Written, run: &Run, index: u64) -> Option<Object> {
    let offset = run.record_offset(index);
    let at = usize::try_from(offset).ok()?;
    let seed = RecordSeed::new(CARTRIDGE, written.header.sequence);
    let record = RecordHeader::decode(bytes.get(at..)?, seed, offset).ok()?;
    let first = if matches!(run.kind, RunKind::Filemarks { .. }) { run.start.object } else { run.start.object + index };
    if (record.object, record.epoch) != (first, written.header.epoch) {
        return None;
    }
    match (run.kind, record.kind) {
        (RunKind::Filemarks { .. }, RecordKind::Filemarks { count }) if index < u64::from(count) => {
            Some(Object::Filemark)
        }
        (RunKind::Blocks { length, .. }, RecordKind::Block { length: stored, crc }) if length == stored => {
            let begin = at + RECORD_HEADER_LENGTH;
            let payload = bytes.get(begin..begin + usize::try_from(length).ok()?)?;
            (checksum(payload) == crc).then(|| Object::Block(payload.to_vec()))
        }
        _ => None,
    }
}

/// What lies in records before the first changed byte is there and good.
fn check_prefix(found: &Scan, written: &Written, first_change: usize) {
    let intact = written.ends.iter().take_while(|(end, _)| *end <= first_change).last();
    let Some(&(_, object)) = intact else { return };
    assert!(found.index.end().object >= object, "object {object} is intact and dropped");
    assert!(found.damage.iter().all(|damage| damage.object >= object), "intact, and called damaged");
}

/// Records with good checksums and any fields.
fn forged(script: &mut Script<'_>) {
    let number = |script: &mut Script<'_>| match script.byte() {
        0..=127 => u64::from(script.byte() % 32),
        128..=191 => u64::MAX - u64::from(script.byte() % 32),
        _ => script.u64(),
    };
    let object = number(script);
    let start = Point { object, filemark: number(script).min(object), byte: number(script) };
    let header = Header {
        cartridge: CARTRIDGE,
        partition: Partition(0),
        sequence: 2,
        epoch: 1,
        start,
        durable: number(script).min(object),
        ancestors: Vec::new(),
    };
    let trusted = number(script);
    let seed = RecordSeed::new(CARTRIDGE, 2);
    let mut bytes = header.encode();
    let mut next = object;
    while !script.is_over() {
        let payload = script.byte() % 64;
        let crc = checksum(&payload_of(payload));
        let kind = match script.byte() {
            0..=31 => RecordKind::Marker,
            32..=63 => RecordKind::Filemarks { count: script.u32().max(1) },
            64..=95 => RecordKind::Block { length: script.within(1, MAX_BLOCK_LENGTH), crc },
            _ => RecordKind::Block { length: u32::from(payload.max(1)), crc },
        };
        let object = if script.byte() < 200 { next } else { number(script) };
        let durable = if script.byte() < 200 { header.durable } else { number(script) };
        let record = RecordHeader { kind, object, epoch: 1 + u64::from(script.byte() / 250), durable };
        next = object.saturating_add(record.objects());
        bytes.extend(record.encode(seed, wide(bytes.len())));
        bytes.extend(payload_of(payload));
    }
    let (found, peak) = peak_of(|| scan(&bytes, &header, trusted));
    assert!(peak <= 16 * bytes.len() + 4096, "{peak} bytes for {}", bytes.len());
    assert_eq!(found.index.start(), start);
    assert!(found.index.end().object >= trusted.max(header.durable));
    assert!(found.index.runs().count() <= 2 * (bytes.len() / RECORD_HEADER_LENGTH) + 2, "a gap before each record");
    agrees_with_itself(&found.index);
}

fn payload_of(length: u8) -> Vec<u8> {
    vec![b'C'; usize::from(length.max(1))]
}

/// Any bytes as an index.
fn index(script: &mut Script<'_>) {
    let start = match script.byte() % 3 {
        0 => Point::default(),
        1 => Point { object: 1000, filemark: 10, byte: 1 << 40 },
        _ => Point { object: u64::MAX - 5, filemark: u64::MAX - 9, byte: u64::MAX },
    };
    let bytes = script.rest();
    let (decoded, peak) = peak_of(|| Index::decode(bytes, start));
    assert!(peak <= 16 * bytes.len() + 4096, "{peak} bytes for {}", bytes.len());
    match decoded {
        Ok(index) => {
            assert_eq!(index.start(), start);
            let again = Index::decode(&index.encode(), start).expect("it was encoded here");
            assert_eq!((again.end(), again.end_offset()), (index.end(), index.end_offset()));
            assert!(again.runs().eq(index.runs()));
            agrees_with_itself(&index);
        }
        Err(error) => assert!(error.0 < wide(bytes.len()), "the mistake is in the bytes"),
    }
}

/// Runs follow one another, and what lookups give is in them.
fn agrees_with_itself(index: &Index) {
    let (mut point, mut offset) = (index.start(), RECORDS_OFFSET);
    for run in index.runs() {
        assert_eq!((run.start, run.offset), (point, offset), "{:?}", index.runs().collect::<Vec<_>>());
        (point, offset) = (run.end(), run.end_offset());
        // Beyond that numbers stop growing, and several objects have the same one.
        if point.object < u64::MAX && run.objects() > 0 {
            for object in [run.start.object, point.object - 1] {
                assert_eq!(index.find(object), Some(run));
                assert_eq!(index.point(object), Some(run.point(object - run.start.object)));
            }
        }
        if let RunKind::Filemarks { count } = run.kind
            && point.filemark < u64::MAX
            && point.object < u64::MAX
        {
            assert_eq!(index.find_filemark(run.start.filemark), Some(run.start.object));
            assert_eq!(index.find_filemark(run.start.filemark + count - 1), Some(run.start.object + count - 1));
        }
    }
    assert_eq!((point, offset), (index.end(), index.end_offset()));
    assert_eq!(index.point(point.object), Some(point));
    for outside in [index.end().object, u64::MAX] {
        assert_eq!(index.find(outside), None);
    }
    let _ = index.find_filemark(u64::MAX);
}
