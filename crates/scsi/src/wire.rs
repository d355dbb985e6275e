//! Big-endian fields of parameter data: reading by offset, appending.

/// Two bytes at `at`, or `None` where `bytes` is too short.
#[must_use]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_be_bytes)
}

/// Three bytes at `at`, or `None` where `bytes` is too short.
#[must_use]
pub fn u24_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
}

/// Four bytes at `at`, or `None` where `bytes` is too short.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_be_bytes)
}

/// Eight bytes at `at`, or `None` where `bytes` is too short.
#[must_use]
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_be_bytes)
}

/// `N` bytes at `at`, or `None` where `bytes` is too short.
#[must_use]
pub fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The low three bytes of `value`.
#[must_use]
pub fn u24(value: u32) -> [u8; 3] {
    let [_, high, middle, low] = value.to_be_bytes();
    [high, middle, low]
}

/// A length as a one-byte field, at most 255.
#[must_use]
pub fn length_u8(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// A length as a two-byte field, at most 65535.
#[must_use]
pub fn length_u16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// A length as a four-byte field.
#[must_use]
pub fn length_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// `text` in a field of `N` bytes, left-aligned, padded with spaces; what does not fit is cut.
#[must_use]
pub fn ascii<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    field.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_big_endian_and_bounded() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(u16_at(&bytes, 6), Some(0x0708));
        assert_eq!(u16_at(&bytes, 7), None);
        assert_eq!(u24_at(&bytes, 0), Some(0x01_0203));
        assert_eq!(u32_at(&bytes, 4), Some(0x0506_0708));
        assert_eq!(u64_at(&bytes, 0), Some(0x0102_0304_0506_0708));
        assert_eq!(u64_at(&bytes, usize::MAX), None);
        assert_eq!(u24(0x01_0203), [1, 2, 3]);
        assert_eq!(ascii::<4>("IBM"), *b"IBM ");
        assert_eq!(ascii::<2>("IBM"), *b"IB");
        assert_eq!((length_u8(300), length_u16(70_000), length_u32(7)), (255, 65535, 7));
    }
}
