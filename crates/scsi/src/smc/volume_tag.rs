//! Volume tags: what the label reader saw.

use crate::wire;

/// A volume tag of 36 bytes. [SMC-3 volume tag format]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolumeTag {
    /// VOLUME IDENTIFIER, padded with spaces; all zero where there is no cartridge or no label.
    pub volume_identifier: [u8; 32],
    /// VOLUME SEQUENCE NUMBER.
    pub volume_sequence_number: u16,
}

impl VolumeTag {
    /// Bytes that it takes.
    pub const LENGTH: usize = 36;

    /// The tag of an empty element.
    pub const NONE: Self = Self { volume_identifier: [0; 32], volume_sequence_number: 0 };

    /// A tag with this identifier; what is beyond 32 bytes is cut.
    #[must_use]
    pub fn new(identifier: &str) -> Self {
        Self { volume_identifier: wire::ascii(identifier), volume_sequence_number: 0 }
    }

    /// The identifier without padding; empty where there is none.
    #[must_use]
    pub fn identifier(&self) -> &[u8] {
        let padding = |byte: &u8| matches!(byte, 0 | b' ');
        let end =
            self.volume_identifier.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last.saturating_add(1));
        self.volume_identifier.get(..end).unwrap_or(&[])
    }

    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.volume_identifier);
        bytes[34..].copy_from_slice(&self.volume_sequence_number.to_be_bytes());
        bytes
    }

    /// As it came.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut volume_identifier = [0; 32];
        volume_identifier.copy_from_slice(&bytes[..32]);
        Self { volume_identifier, volume_sequence_number: u16::from_be_bytes([bytes[34], bytes[35]]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_tag() {
        let tag = VolumeTag::new("CAP001L8");
        let golden = b"CAP001L8                        \0\0\0\0";
        assert_eq!(&tag.to_bytes(), golden);
        assert_eq!(VolumeTag::from_bytes(golden), tag);
        assert_eq!(tag.identifier(), b"CAP001L8");
        assert_eq!(VolumeTag::NONE.to_bytes(), [0; 36]);
        assert_eq!(VolumeTag::NONE.identifier(), b"");
    }
}
