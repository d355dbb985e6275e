//! What the first block of a tape file looks like. It is a guess from a few bytes, and no more is claimed.

mod backup;
mod labels;
mod tar;

/// What begins with what: archives and compressed streams that say so in their first bytes.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"070701", "cpio (newc)"),
    (b"070702", "cpio (newc with checksums)"),
    (b"070707", "cpio (odc)"),
    (b"\xc7\x71", "cpio (binary)"),
    (b"\x71\xc7", "cpio (binary, big-endian)"),
    (b"PK\x03\x04", "zip"),
    (b"age-encryption.org/", "age (encrypted)"),
];

/// What it looks like, if it looks like something.
pub(crate) fn like(block: &[u8]) -> Option<String> {
    let begins = |&&(beginning, _): &&(&[u8], &str)| block.starts_with(beginning);
    labels::like(block)
        .or_else(|| tar::like(block))
        .or_else(|| backup::like(block))
        .or_else(|| BEGINNINGS.iter().find(begins).map(|&(_, what)| what.to_owned()))
}

/// Bytes as text that can be shown in one line.
fn printable(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().filter(|each| !each.is_control()).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_and_chance_is_not() {
        assert_eq!(like(b"\x1f\x8b\x08\0\0").as_deref(), Some("gzip"));
        assert_eq!(like(b"\x28\xb5\x2f\xfd....").as_deref(), Some("zstd"));
        assert_eq!(like(b"070701000").as_deref(), Some("cpio (newc)"));
        for nothing in [&b""[..], b"a", b"VOL", &[0; 512], &[0xff; 4096], &[b' '; 80]] {
            assert_eq!(like(nothing), None, "{nothing:?}");
        }
    }
}
