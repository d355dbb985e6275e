//! Names of files and directories, and back.

use std::path::{Path, PathBuf};

use capstan_media::CartridgeId;

/// Segments in one directory.
pub(crate) const FAN_OUT: u64 = 1000;

pub(crate) const META: &str = "cartridge.meta";
pub(crate) const META_NEW: &str = "cartridge.meta.new";
pub(crate) const SHIPPED: &str = "shipped";
pub(crate) const SHIPPED_NEW: &str = "shipped.new";
pub(crate) const KEY: &str = "key";
pub(crate) const KEY_NEW: &str = "key.new";
pub(crate) const PINNED: &str = "pinned";
pub(crate) const FENCED: &str = "fenced";

pub(crate) fn tapes(root: &Path) -> PathBuf {
    root.join("tapes")
}

pub(crate) fn limbo(root: &Path) -> PathBuf {
    root.join("limbo")
}

/// The directory of cartridges whose identities begin alike.
pub(crate) fn fan(root: &Path, id: CartridgeId) -> PathBuf {
    let [first, ..] = id.0;
    tapes(root).join(format!("{first:02x}"))
}

pub(crate) fn cartridge(root: &Path, id: CartridgeId) -> PathBuf {
    fan(root, id).join(id.to_string())
}

/// The directory, below that of its cartridge, that holds a segment.
pub(crate) fn segment_fan(sequence: u64) -> String {
    format!("{:06}", sequence / FAN_OUT)
}

/// Whether a directory below that of a cartridge is one that holds segments.
pub(crate) fn is_segment_fan(name: &str) -> bool {
    name.parse().is_ok_and(|number: u64| format!("{number:06}") == name)
}

pub(crate) fn segment(sequence: u64) -> String {
    format!("{sequence:09}.seg")
}

pub(crate) fn parse_segment(name: &str) -> Option<u64> {
    let sequence = name.strip_suffix(".seg")?.parse().ok()?;
    (segment(sequence) == name).then_some(sequence)
}

pub(crate) fn parse_cartridge(name: &str) -> Option<CartridgeId> {
    let digits: String = name.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    let id = CartridgeId(number.to_be_bytes());
    (id.to_string() == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_foreign_names_do_not() {
        let id = CartridgeId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(parse_cartridge(&id.to_string()), Some(id));
        assert_eq!(cartridge(Path::new("r"), id), Path::new("r/tapes/0f/0f010203-0405-0607-0809-0a0b0c0d0eff"));
        for sequence in [1, 999, 123_456_789, 12_345_678_901] {
            assert_eq!(parse_segment(&segment(sequence)), Some(sequence));
        }
        assert_eq!(segment_fan(12_345), "000012");
        for bad in ["1.seg", "+00000001.seg", "000000001.seg~", "000000001", "x.seg", ".seg"] {
            assert_eq!(parse_segment(bad), None, "{bad}");
        }
        for bad in ["", "0f", "0F010203-0405-0607-0809-0a0b0c0d0eff", "lost+found"] {
            assert_eq!(parse_cartridge(bad), None, "{bad}");
        }
    }
}
