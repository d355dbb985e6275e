//! PDUs and what they carry, from any bytes.
//!
//! Invariants: a header decodes to the same value after encoding, and encodes to the same bytes after decoding; the
//! opcode survives; lengths set on a header are the lengths read from it; additional header segments and text pairs
//! lie inside the bytes given and come back as written; nothing is allocated that the bytes do not account for.

use capstan_iscsi::pdu::ahs::segments;
use capstan_iscsi::pdu::{BHS_LENGTH, Bhs, MAX_DATA_SEGMENT_LENGTH, Pdu, TargetNumbers, digest, padding};
use capstan_iscsi::text::{Joiner, MAX_KEY_LENGTH, MAX_VALUE_LENGTH, TextBuilder, TextError, pairs};

use crate::memory::peak_of;
use crate::script::Script;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    let bhs = Bhs(script.array::<BHS_LENGTH>());
    let rest = script.rest();
    let ((), peak) = peak_of(|| {
        header(bhs);
        additional_headers(rest);
    });
    assert_eq!(peak, 0, "headers are read in place");
    let ((), peak) = peak_of(|| text(rest));
    assert!(peak <= 4 * data.len() + 1024, "{peak} bytes for {}", data.len());
    joined(rest);
    sums(rest);
}

fn header(bhs: Bhs) {
    let pdu = Pdu::decode(&bhs);
    let encoded = pdu.encode();
    assert_eq!(Pdu::decode(&encoded), pdu);
    assert_eq!(Pdu::decode(&encoded).encode(), encoded);
    assert_eq!(encoded.opcode(), bhs.opcode());
    if matches!(pdu, Pdu::Unknown(_)) {
        assert_eq!(encoded, bhs, "nothing is lost of what nobody knows");
    }
    let length = bhs.data_segment_length();
    assert!(length <= MAX_DATA_SEGMENT_LENGTH);
    assert!(bhs.total_ahs_length() <= 1020 && bhs.total_ahs_length().is_multiple_of(4));
    assert!((length + u32::from(padding(length))).is_multiple_of(4) && padding(length) < 4);
    let sized = encoded.with_data_segment_length(length).with_total_ahs_words(bhs.0[4]);
    assert_eq!((sized.data_segment_length(), sized.total_ahs_length()), (length, bhs.total_ahs_length()));
    if !matches!(pdu, Pdu::Unknown(_)) {
        assert_eq!(Pdu::decode(&sized), pdu, "lengths are no part of the fields");
    }
    let numbers = TargetNumbers::decode(&bhs);
    if let Pdu::NopIn(nop) = pdu {
        assert_eq!(nop.numbers, numbers);
    }
}

fn additional_headers(bytes: &[u8]) {
    let (mut total, mut failed) = (0, false);
    for segment in segments(bytes) {
        assert!(!failed, "nothing comes after an error");
        match segment {
            Ok(ahs) => total += 3 + ahs.specific.len(),
            Err(_) => failed = true,
        }
    }
    assert!(total <= bytes.len());
}

fn text(bytes: &[u8]) {
    let mut built = TextBuilder::new();
    let mut failed = None;
    for pair in pairs(bytes) {
        assert!(failed.is_none(), "nothing comes after an error");
        match pair {
            Ok(pair) => {
                assert!((1..=MAX_KEY_LENGTH).contains(&pair.key.len()) && pair.value.len() <= MAX_VALUE_LENGTH);
                assert!(!pair.key.contains(['=', '\0']) && !pair.value.contains('\0'));
                built.push(pair.key, pair.value);
            }
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        None => assert!(bytes.last().is_none_or(|last| *last == 0), "what is not ended is not taken"),
        Some(TextError::TooLong { .. }) => panic!("no bound was given"),
        Some(_) => {}
    }
    let built = built.finish();
    assert!(built.len() <= bytes.len());
    assert!(pairs(&built).eq(pairs(bytes).take_while(Result::is_ok)), "what was read can be written");
}

/// Text in pieces is the same text, up to the bound and not beyond it.
fn joined(bytes: &[u8]) {
    let limit = bytes.len() / 2 + bytes.len() % 7;
    let mut joiner = Joiner::new(limit);
    let mut expected: Vec<u8> = Vec::new();
    for piece in bytes.chunks(1 + bytes.len() / 5) {
        if expected.len() + piece.len() <= limit {
            assert_eq!(joiner.add(piece), Ok(()));
            expected.extend(piece);
        } else {
            assert_eq!(joiner.add(piece), Err(TextError::TooLong { limit }));
            expected.clear();
        }
        assert_eq!(joiner.is_empty(), expected.is_empty());
    }
    assert_eq!(joiner.take(), expected);
}

/// A digest does not depend on how the bytes are split, and tells any one flipped bit.
fn sums(bytes: &[u8]) {
    let (one, other) = bytes.split_at(bytes.len() / 3);
    let sum = digest(&[bytes]);
    assert_eq!(digest(&[one, other]), sum);
    if let Some(first) = bytes.first() {
        let mut changed = bytes.to_vec();
        changed[usize::from(*first) % bytes.len()] ^= 1 << (first % 8);
        assert_ne!(digest(&[&changed]), sum);
    }
}
