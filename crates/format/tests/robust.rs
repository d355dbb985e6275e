//! Whatever the bytes, decoding answers: no panic, no loop, no allocation beyond the bytes at hand, and what is
//! accepted comes back the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use capstan_format::segment::{Header, Index, RecordHeader, RecordKind, RecordSeed, Trailer, scan, was_synchronised};
use capstan_format::{Ancestor, Meta, Point, checksum, wide};
use capstan_media::{Barcode, CartridgeId, Partition};

const CARTRIDGE: CartridgeId = CartridgeId([9; 16]);

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }
}

fn header() -> Header {
    Header {
        cartridge: CARTRIDGE,
        partition: Partition(0),
        sequence: 2,
        epoch: 3,
        start: Point { object: 4, filemark: 1, byte: 50 },
        durable: 2,
        ancestors: vec![Ancestor { sequence: 1, start: Point::default() }],
    }
}

/// Everything that reads stored bytes, on these.
fn decode_all(bytes: &[u8]) {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Ok(header));
    }
    if let Ok(meta) = Meta::decode(bytes) {
        assert_eq!(Meta::decode(&meta.encode()), Ok(meta));
    }
    if let Ok(trailer) = Trailer::decode(bytes, wide(bytes.len())) {
        assert_eq!(trailer.encode().as_slice(), bytes);
    }
    let seed = RecordSeed::new(CARTRIDGE, 2);
    if let Ok(record) = RecordHeader::decode(bytes, seed, 1024) {
        assert_eq!(record.encode(seed, 1024), bytes[..48]);
    }
    if let Ok(index) = Index::decode(bytes, Point::default()) {
        let again = Index::decode(&index.encode(), Point::default()).unwrap();
        assert_eq!((index.end(), index.end_offset()), (again.end(), again.end_offset()));
        let end = index.end();
        for object in [0, end.object / 2, end.object.saturating_sub(1), end.object, u64::MAX] {
            let _ = (index.find(object), index.point(object), index.find_filemark(object));
        }
    }
    for trusted in [0, 5, 100] {
        check_scan(bytes, trusted);
    }
    let _ = was_synchronised(bytes, CARTRIDGE, 2);
}

/// What a scan promises of any bytes.
fn check_scan(bytes: &[u8], trusted: u64) {
    let header = header();
    let found = scan(bytes, &header, trusted);
    assert_eq!(found.index.start(), header.start);
    assert!(found.index.end().object >= trusted.max(header.durable).max(header.start.object), "trusted objects stay");
    assert!(found.index.runs().count() <= bytes.len() / 48 + 2);
    let mut object = header.start.object;
    for run in found.index.runs() {
        assert_eq!(run.start.object, object);
        object += run.objects();
    }
}

fn segment(random: &mut Random) -> Vec<u8> {
    let header = header();
    let seed = RecordSeed::new(CARTRIDGE, header.sequence);
    let mut bytes = header.encode();
    let mut object = header.start.object;
    let mut durable = header.durable;
    for _ in 0..random.below(30) {
        let payload: Vec<u8> = (0..1 + random.below(200)).map(|_| random.next().to_le_bytes()[0]).collect();
        let kind = match random.below(6) {
            0 => RecordKind::Filemarks { count: 1 + u32::try_from(random.below(5)).unwrap() },
            1 => RecordKind::Marker,
            _ => RecordKind::Block { length: u32::try_from(payload.len()).unwrap(), crc: checksum(&payload) },
        };
        if kind == RecordKind::Marker {
            durable = object;
        }
        let record = RecordHeader { kind, object, epoch: header.epoch, durable };
        bytes.extend(record.encode(seed, wide(bytes.len())));
        if record.payload_length() > 0 {
            bytes.extend(payload);
        }
        object += record.objects();
    }
    bytes
}

#[test]
fn random_bytes() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let length = random.below(300);
        let bytes: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
        decode_all(&bytes);
    }
}

#[test]
fn damaged_and_truncated_segments() {
    let mut random = Random(2);
    for _ in 0..4000 {
        let mut bytes = segment(&mut random);
        let whole = scan(&bytes, &header(), 0);
        assert_eq!(whole.stopped, None);
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(at),
                1 => {
                    let end = bytes.len().min(at + 512);
                    bytes[at..end].fill(0);
                }
                2 => bytes.extend_from_within(at..),
                _ => bytes[at] ^= 1 << random.below(8),
            }
            if bytes.is_empty() {
                break;
            }
        }
        decode_all(&bytes);
        let found = scan(&bytes, &header(), 0);
        assert!(found.index.end().object <= whole.index.end().object, "nothing is invented");
        assert!(found.index.end().object >= found.durable, "nothing durable is dropped");
    }
}

#[test]
fn damaged_metadata_and_trailers() {
    let mut random = Random(3);
    let meta = Meta::blank(CARTRIDGE, Barcode::new("CAP001L8").unwrap(), 1 << 30).encode();
    let trailer = Trailer {
        cartridge: CARTRIDGE,
        sequence: 2,
        epoch: 3,
        end: header().start,
        index_offset: 1024,
        index_length: 0,
        index_crc: 0,
    };
    for good in [meta, header().encode(), trailer.encode().to_vec()] {
        for _ in 0..3000 {
            let mut bytes = good.clone();
            for _ in 0..1 + random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = random.next().to_le_bytes()[0];
            }
            bytes.truncate(1 + random.below(2 * bytes.len()));
            decode_all(&bytes);
        }
    }
}
