//! Binary values as text. [RFC 7143 6.1]

use std::fmt::Write as _;

/// As `0x` and hexadecimal digits, which every implementation reads.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// From hexadecimal digits after `0x`, two for each byte, or base64 after `0b`; `None` for anything else and for more
/// than `max` bytes.
pub(super) fn decode(text: &str, max: usize) -> Option<Vec<u8>> {
    let (prefix, digits) = text.as_bytes().split_at_checked(2)?;
    let bytes = match prefix {
        b"0x" | b"0X" if digits.len() <= max.saturating_mul(2) => hexadecimal(digits)?,
        b"0b" | b"0B" if digits.len() <= max.saturating_mul(2) => base64(digits)?,
        _ => return None,
    };
    (bytes.len() <= max).then_some(bytes)
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// [RFC 4648 4]
fn base64(digits: &[u8]) -> Option<Vec<u8>> {
    let (fours, rest) = digits.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(fours.len() * 3);
    for (at, four) in fours.iter().enumerate() {
        let fill = four.iter().rev().take_while(|byte| **byte == b'=').count();
        if fill > 2 || (fill > 0 && at + 1 < fours.len()) {
            return None;
        }
        let mut group = 0_u32;
        for byte in four.iter().take(4 - fill) {
            group = group << 6 | sextet(*byte)?;
        }
        group <<= 6 * fill;
        let [_, group @ ..] = group.to_be_bytes();
        let (kept, cut) = group.split_at_checked(3 - fill)?;
        // Bits that belong to no byte are zero, so each value has one spelling.
        if cut.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden_values() {
        assert_eq!(encode(&[0, 0xab, 0x10]), "0x00ab10");
        for text in ["0x00aB10", "0X00Ab10", "0bAKsQ", "0BAKsQ"] {
            assert_eq!(decode(text, 3), Some(vec![0, 0xab, 0x10]), "{text}");
        }
        assert_eq!(decode("0bAKsQ/w==", 4), Some(vec![0, 0xab, 0x10, 0xff]));
        assert_eq!(decode("0bAKsQ//8=", 5), Some(vec![0, 0xab, 0x10, 0xff, 0xff]));
        assert_eq!(decode("0b+/+/", 3), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!((decode("0x", 3), decode("0b", 3)), (Some(vec![]), Some(vec![])));
    }

    #[test]
    fn what_is_no_binary_value() {
        let wrong = [
            "",
            "0",
            "00",
            "1234",
            "0x0",
            "0x0g",
            "0x-1",
            "0bA",
            "0bAKs",
            "0bAKs*",
            "0b=AKs",
            "0bA===",
            "0b====",
            "0bAK==AKsQ",
            "0bAKt=",
            "0bAL==",
            "0xé",
            "é",
        ];
        for text in wrong {
            assert_eq!(decode(text, 100), None, "{text:?}");
        }
        assert_eq!(decode("0x00112233", 3), None);
        assert_eq!(decode("0bAKsQAA==", 3), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(&encode(&bytes), 100), Some(bytes));
        }

        #[test]
        fn any_text_ends(text in "0[xXbB]?\\PC{0,40}") {
            prop_assert!(decode(&text, 16).is_none_or(|bytes| bytes.len() <= 16));
        }
    }
}
