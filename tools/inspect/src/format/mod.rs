//! The bytes of what is in a tier, as `docs/format/` says: one file for each thing that has a page or a chapter there.
//! Nothing here knows where the bytes come from.

mod claim;
mod delta;
mod fields;
mod index;
mod meta;
mod object;
mod point;
mod record;
mod segment;
mod wrapped;

pub(crate) use claim::Claim;
pub(crate) use delta::{Delta, Release, Row};
pub(crate) use fields::Bad;
pub(crate) use index::{Run, RunKind, parse_index};
pub(crate) use meta::{Cause, Meta, Origin, TapeVersion};
pub(crate) use object::{FRAME_HEAD, FrameHead, HEADER, ObjectHeader, TAG, TRAILER, TableEntry, Trailer, parse_table};
pub(crate) use point::{Ancestor, Point};
pub(crate) use record::{MAX_BLOCK, RECORD, Record, RecordKind};
pub(crate) use segment::{RECORDS, SEGMENT_TRAILER, SegmentHeader, SegmentTrailer};
pub(crate) use wrapped::WrappedKey;

/// The 16 bytes of a cartridge's or gateway's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let dash = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Uuid {
    /// From 8-4-4-4-12 lower-case hexadecimal digits, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let digits: String = text.chars().filter(|&each| each != '-').collect();
        if !digits.is_ascii() || digits.len() != 32 {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(place * 2..place * 2 + 2)?, 16).ok()?;
        }
        let uuid = Self(bytes);
        (uuid.to_string() == text).then_some(uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let text = "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a0f";
        assert_eq!(Uuid::parse(text).unwrap().to_string(), text);
        for other in ["5A5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a0f", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a0f", "", "--", "é"] {
            assert_eq!(Uuid::parse(other), None, "{other}");
        }
    }
}
