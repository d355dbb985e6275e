//! tar: the header of the first member, which proves itself by a sum (POSIX.1 ustar).

use super::printable;

const CHECKSUM: std::ops::Range<usize> = 148..156;

pub(super) fn like(block: &[u8]) -> Option<String> {
    let header = block.get(..512)?;
    let told = octal(header.get(CHECKSUM)?)?;
    let is_sum = |&(place, _): &(usize, &u8)| CHECKSUM.contains(&place);
    let sum = |(place, &byte): (usize, &u8)| if is_sum(&(place, &byte)) { 32 } else { u64::from(byte) };
    // A block of zeros has the sum of the eight blanks and says nothing.
    if header.iter().enumerate().map(sum).sum::<u64>() != told || header.first() == Some(&0) {
        return None;
    }
    let kind = match (header.get(257..265)?, header.get(156)?) {
        (b"ustar\x0000", b'x' | b'g') => "tar (pax)",
        (b"ustar\x0000", _) => "tar (ustar)",
        (b"ustar  \0", b'V') => "tar (GNU, volume label)",
        (b"ustar  \0", b'M') => "tar (GNU, continued from another volume)",
        (b"ustar  \0", _) => "tar (GNU)",
        _ => "tar (old)",
    };
    let name = header.get(..100)?.split(|&byte| byte == 0).next().unwrap_or_default();
    Some(format!("{kind}, first member {}", printable(name)))
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, magic: &[u8; 8], kind: u8) -> Vec<u8> {
        let mut block = vec![0; 1024];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[257..265].copy_from_slice(magic);
        block[156] = kind;
        block[CHECKSUM].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn kinds_of_tar() {
        let like = |magic, kind| like(&header("etc/passwd", magic, kind)).unwrap();
        assert_eq!(like(b"ustar\x0000", b'0'), "tar (ustar), first member etc/passwd");
        assert_eq!(like(b"ustar\x0000", b'x'), "tar (pax), first member etc/passwd");
        assert_eq!(like(b"ustar  \0", b'0'), "tar (GNU), first member etc/passwd");
        assert_eq!(like(&[0; 8], b'0'), "tar (old), first member etc/passwd");
    }

    #[test]
    fn a_header_whose_sum_is_another_is_none() {
        let mut block = header("a", b"ustar\x0000", b'0');
        block[0] = b'b';
        assert_eq!(like(&block), None);
        assert_eq!(like(&[0; 512]), None);
    }
}
