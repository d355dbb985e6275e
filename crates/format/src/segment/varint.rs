//! Numbers in seven-bit groups, lowest first, the top bit of each byte saying that more follow (LEB128).

/// Appends `value`.
pub(super) fn push(bytes: &mut Vec<u8>, value: u64) {
    let mut rest = value;
    loop {
        let group = rest.to_le_bytes().first().copied().unwrap_or_default() & 0x7f;
        rest >>= 7;
        if rest == 0 {
            bytes.push(group);
            return;
        }
        bytes.push(group | 0x80);
    }
}

/// Takes a number from the front, or `None` if none is there that fits in 64 bits.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let group = u64::from(byte & 0x7f);
        if group.checked_shl(shift)? >> shift != group {
            return None;
        }
        value |= group << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for (value, length) in [(0, 1), (127, 1), (128, 2), (1 << 25, 4), ((1 << 28) - 1, 4), (u64::MAX, 10)] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            assert_eq!(bytes.len(), length, "{value}");
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(value));
            assert!(rest.is_empty());
            assert_eq!(take(&mut &bytes[..length - 1]), None);
        }
        assert_eq!(take(&mut [0xff; 10].as_slice()), None);
        assert_eq!(take(&mut [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2].as_slice()), None);
    }
}
