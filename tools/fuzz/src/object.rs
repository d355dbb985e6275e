//! Objects of a tier: sealed and changed, forged with good checksums, and any bytes.
//!
//! Invariants: what is sealed comes back; of an object in which a byte was changed the whole is refused, with a key and
//! without one, and a frame is refused or is what it was; a forged object gives errors or frames of the length that its
//! header says; nothing is allocated by a length that was not compared with the bytes at hand or with the size of a frame.

use bytes::Bytes;
use capstan_format::object::{
    FRAME_SIZE, Footer, FrameEntry, FrameHead, HEADER_LENGTH, Header, KeyId, Protection, TAG_LENGTH, TRAILER_LENGTH,
    Table, Trailer, WRAPPED_KEY_LENGTH, WrappedKey,
};
use capstan_format::{checksum, wide};
use capstan_media::CartridgeId;
use capstan_tier::{CartridgeKey, ObjectError, Opener, SealOptions, SegmentId, WrappingKey, check_object, seal};

use crate::memory::peak_of;
use crate::script::Script;

/// The smallest frames: an input is short.
const FRAME: u32 = 4096;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 5 {
        0 | 1 => changed(&mut script),
        2 => decode(script.rest()),
        3 => wrapped(&mut script),
        _ => forged(&mut script),
    }
}

fn segment(script: &mut Script<'_>) -> SegmentId {
    let cartridge = CartridgeId([script.byte(); 16]);
    SegmentId { cartridge, sequence: 1 + u64::from(script.byte()), epoch: u64::from(script.byte()) }
}

/// Up to three frames, of which some can be compressed.
fn plain(script: &mut Script<'_>) -> Vec<u8> {
    let length = script.below(3 * 4096 + 2);
    let (step, seed) = (script.byte(), script.array::<8>());
    let mut state = u64::from_le_bytes(seed) | 1;
    let mut bytes = Vec::with_capacity(length);
    for at in 0..length {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        bytes.push(if at % 256 < usize::from(step) { step } else { state.to_le_bytes()[7] });
    }
    bytes
}

fn open(object: &[u8], segment: SegmentId, key: Option<&CartridgeKey>) -> Result<Opener, ObjectError> {
    Opener::new("v1/x", object, wide(object.len()), segment, key)
}

fn whole(object: &[u8], segment: SegmentId, key: Option<&CartridgeKey>) -> Result<Vec<u8>, ObjectError> {
    let mut plain = Vec::new();
    open(object, segment, key)?.open_whole(object, |frame| {
        plain.extend_from_slice(frame);
        Ok(())
    })?;
    Ok(plain)
}

/// A good object with some bytes changed, or cut.
fn changed(script: &mut Script<'_>) {
    let (segment, plain) = (segment(script), plain(script));
    let key = CartridgeKey::new([script.byte(); 32]);
    let key = script.flag().then_some(&key);
    let zstd = script.flag().then_some(1);
    let options = SealOptions { zstd, key: key.map(|key| (key, [script.byte(); 32])), frame_size: FRAME };
    let sealed = seal(segment, wide(plain.len()), &mut plain.as_slice(), options).expect("a small segment");
    let mut object = sealed.body.to_bytes().to_vec();
    assert!(whole(&object, segment, key).expect("as it was sealed") == plain);
    let good = object.clone();
    while !script.is_over() && !object.is_empty() {
        let (at, xor) = (script.below(good.len()), script.byte());
        if let Some(byte) = object.get_mut(at) {
            *byte ^= xor;
        }
        if xor == 0 {
            object.truncate(at);
        }
    }
    if object == good {
        return;
    }
    assert!(whole(&object, segment, key).is_err(), "a change that nobody sees");
    assert!(check_object("v1/x", &object).is_err(), "a change that nobody sees without a key");
    let Ok(opener) = open(&object, segment, key) else { return };
    for (frame, was) in (0..).zip(plain.chunks(4096)) {
        let range = opener.stored_range(frame..frame + 1);
        let bytes = slice(&object, range.start, range.end);
        assert!(
            opener.open_frame(frame, &Bytes::copy_from_slice(bytes)).map_or(true, |now| now == was),
            "another frame than was sealed"
        );
    }
}

fn slice(bytes: &[u8], start: u64, end: u64) -> &[u8] {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    bytes.get(at(start)..at(end)).unwrap_or_default()
}

/// An object of any content whose checksums and hashes hold.
fn forged(script: &mut Script<'_>) {
    let id = segment(script);
    let encrypted = script.byte().is_multiple_of(4);
    let key = CartridgeKey::new([7; 32]);
    let named = if script.flag() { key.id() } else { KeyId(script.array()) };
    let header = Header {
        cartridge: id.cartridge,
        sequence: id.sequence,
        epoch: id.epoch,
        plain_length: script.pick(&[0, 1, 4096, 4097, 9000, 1 << 20, 1 << 40, u64::MAX]),
        frame_size: script.pick(&[FRAME, FRAME, FRAME_SIZE, 0, 4097]),
        protection: encrypted.then_some(Protection { salt: [1; 32], key: named }),
    };
    let mut object = header.encode().to_vec();
    let mut frames = Vec::new();
    while frames.len() < 4 && script.flag() {
        let stored = script.pick(&[1, 17, 40, 200]);
        let content = script.take(stored);
        let length = if script.byte().is_multiple_of(8) { script.u32() } else { u32::try_from(content.len()).unwrap() };
        let head = FrameHead { length, compressed: script.flag() };
        frames.push(FrameEntry { offset: wide(object.len()), head, crc: script.u32() });
        object.extend(head.to_number().to_le_bytes());
        object.extend(content);
    }
    let footer_begin = object.len();
    let count = u32::try_from(frames.len()).unwrap();
    object.extend(header.encode());
    object.extend(Table { frames, plain_hash: [2; 32] }.encode());
    if encrypted {
        object.extend([script.byte(); TAG_LENGTH]);
    }
    let trailer = Trailer {
        footer_length: u32::try_from(object.len() - footer_begin + TRAILER_LENGTH).unwrap(),
        object_length: wide(object.len() + TRAILER_LENGTH),
        cartridge: id.cartridge,
        sequence: id.sequence,
        epoch: id.epoch,
        frames: if script.byte().is_multiple_of(8) { script.u32() } else { count },
        footer_crc: checksum(&object[footer_begin..]),
        hash: [3; 32],
    };
    object.extend(trailer.encode());
    let (opened, peak) = peak_of(|| open(&object, id, Some(&key)));
    assert!(peak <= (16 << 10) + 4 * object.len(), "{peak} bytes for a footer in {}", object.len());
    let Ok(opener) = opened else { return };
    assert!(!encrypted, "a tag that holds without the key");
    for frame in 0..opener.frames() {
        let range = opener.stored_range(frame..frame + 1);
        let stored = slice(&object, range.start, range.end);
        let stored = Bytes::copy_from_slice(stored);
        let (read, peak) = peak_of(|| opener.open_frame(frame, &stored));
        let limit = header.frame_length(frame).expect("a frame of the table is one of the header");
        assert!(
            peak <= (16 << 10) + 2 * object.len() + 2 * usize::try_from(limit).unwrap(),
            "{peak} bytes for a frame"
        );
        assert!(read.map_or(true, |plain| wide(plain.len()) == u64::from(limit)));
    }
    assert!(whole(&object, id, Some(&key)).is_err(), "the hash of the object cannot hold");
}

/// The key of a cartridge, wrapped and changed.
fn wrapped(script: &mut Script<'_>) {
    let (wrapping, key) = (WrappingKey::new([script.byte(); 32]), CartridgeKey::new([script.byte(); 32]));
    let cartridge = CartridgeId(script.array());
    let good = wrapping.wrap(&key, cartridge, 1 + script.u32() / 2, script.array()).expect("32 bytes");
    let mut bytes = good.encode().to_vec();
    assert_eq!(WrappedKey::decode(&bytes), Ok(good));
    assert_eq!(wrapping.unwrap(&good).expect("as it was wrapped").id(), key.id());
    while !script.is_over() {
        bytes[script.below(WRAPPED_KEY_LENGTH)] ^= script.byte();
    }
    if let Ok(found) = WrappedKey::decode(&bytes) {
        assert_eq!(found, good, "another key than was written");
    }
    // With a checksum that holds, only the tag is left.
    let crc = checksum(&bytes[..124]);
    bytes[124..].copy_from_slice(&crc.to_le_bytes());
    if let Ok(found) = WrappedKey::decode(&bytes) {
        assert_eq!(wrapping.unwrap(&found).is_ok(), found == good, "a forged key");
    }
}

fn decode(bytes: &[u8]) {
    let ((), peak) = peak_of(|| decode_all(bytes));
    assert!(peak <= (16 << 10) + 4 * bytes.len(), "{peak} bytes for {}", bytes.len());
}

fn decode_all(bytes: &[u8]) {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(Header::decode(&header.encode()), Ok(header));
        assert!(header.frames() <= 1 << 20);
        if let Some(rest) = bytes.get(HEADER_LENGTH..) {
            table(rest, &header);
        }
    }
    if let Ok(trailer) = Trailer::decode(bytes, wide(bytes.len())) {
        assert_eq!(Trailer::decode(&trailer.encode(), trailer.object_length), Ok(trailer));
    }
    if let Ok(footer) = Footer::decode(bytes, wide(bytes.len())) {
        table(&footer.table, &footer.header);
    }
    if let Ok(key) = WrappedKey::decode(bytes) {
        assert_eq!(WrappedKey::decode(&key.encode()), Ok(key));
    }
    let small = Header {
        cartridge: CartridgeId([0; 16]),
        sequence: 1,
        epoch: 1,
        plain_length: 3 * u64::from(FRAME) + 1,
        frame_size: FRAME,
        protection: None,
    };
    table(bytes, &small);
}

/// Frames follow each other from the header to the footer.
fn table(bytes: &[u8], header: &Header) {
    for end in [128, 300, wide(bytes.len())] {
        if let Ok(table) = Table::decode(bytes, header, end) {
            assert_eq!(table.encode(), bytes);
            assert_eq!(wide(table.frames.len()), header.frames());
            let sum: u64 = table.frames.iter().map(|frame| frame.head.total()).sum();
            assert_eq!(sum + 128, end);
        }
    }
}
