//! One element in an element status report.
//!
//! The bits of all types share one layout; which of them mean something depends on the type, and whoever makes a
//! descriptor sets only those. Every descriptor of a page has the same length:
//! 12 bytes, 36 for each kind of volume tag the page has, 4 for the identifier's header, and the identifier.
//! [SMC-3 READ ELEMENT STATUS, element descriptors]

use bytes::{BufMut, Bytes, BytesMut};

use crate::asc::Asc;
use crate::smc::{VolumeTag, be16};
use crate::wire;

/// The identifier of the device in a data transfer element: a designator of its Device Identification VPD page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementIdentifier {
    /// CODE SET: 1 binary, 2 ASCII.
    pub code_set: u8,
    /// IDENTIFIER TYPE: 1 T10 vendor ID, 3 NAA.
    pub identifier_type: u8,
    /// IDENTIFIER, at most 255 bytes.
    pub identifier: Bytes,
}

/// The state of one element.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ElementDescriptor {
    /// ELEMENT ADDRESS.
    pub element_address: u16,
    /// FULL bit.
    pub full: bool,
    /// IMPEXP bit: an operator placed the medium (import/export elements).
    pub import_export: bool,
    /// EXCEPT with ADDITIONAL SENSE CODE and qualifier: the element is in an abnormal state.
    pub exception: Option<Asc>,
    /// ACCESS bit: the picker can get at it (all but medium transport elements).
    pub access: bool,
    /// EXENAB bit: media can leave through it (import/export elements).
    pub export_enabled: bool,
    /// INENAB bit: media can come in through it (import/export elements).
    pub import_enabled: bool,
    /// SVALID and SOURCE STORAGE ELEMENT ADDRESS: where the medium was last moved from.
    pub source_storage_element_address: Option<u16>,
    /// ED bit: element disabled.
    pub element_disabled: bool,
    /// MEDIUM TYPE: 0 unspecified.
    pub medium_type: u8,
    /// PRIMARY VOLUME TAG INFORMATION, in pages that have it.
    pub primary_volume_tag: Option<VolumeTag>,
    /// Identifier of the device (data transfer elements).
    pub identifier: Option<ElementIdentifier>,
}

/// Fixed part of a descriptor.
pub(super) const FIXED_LENGTH: usize = 12;
/// CODE SET, IDENTIFIER TYPE, reserved, IDENTIFIER LENGTH.
pub(super) const IDENTIFIER_HEADER_LENGTH: usize = 4;

impl ElementDescriptor {
    /// Bytes of the identifier alone.
    pub(super) fn identifier_length(&self) -> usize {
        self.identifier.as_ref().map_or(0, |identifier| identifier.identifier.len()).min(255)
    }

    /// Appends exactly `length` bytes, with the tag if the page has tags.
    pub(super) fn encode(&self, page_has_tags: bool, length: usize, out: &mut BytesMut) {
        let end = out.len().saturating_add(length);
        let asc = self.exception.unwrap_or(Asc::NO_ADDITIONAL_SENSE_INFORMATION);
        let svalid = self.source_storage_element_address.is_some();
        out.put_u16(self.element_address);
        out.put_slice(&[self.flags(), 0, asc.asc, asc.ascq, 0, 0, 0]);
        out.put_u8((u8::from(svalid) << 7) | (u8::from(self.element_disabled) << 3) | (self.medium_type & 0x07));
        out.put_u16(self.source_storage_element_address.unwrap_or(0));
        if page_has_tags {
            out.put_slice(&self.primary_volume_tag.unwrap_or(VolumeTag::NONE).to_bytes());
        }
        if let Some(identifier) = &self.identifier {
            let length = self.identifier_length();
            let bytes = identifier.identifier.get(..length).unwrap_or(&[]);
            let header = [identifier.code_set & 0x0f, identifier.identifier_type & 0x0f, 0, wire::length_u8(length)];
            out.put_slice(&header);
            out.put_slice(bytes);
        }
        out.resize(end, 0);
    }

    fn flags(&self) -> u8 {
        u8::from(self.full)
            | (u8::from(self.import_export) << 1)
            | (u8::from(self.exception.is_some()) << 2)
            | (u8::from(self.access) << 3)
            | (u8::from(self.export_enabled) << 4)
            | (u8::from(self.import_enabled) << 5)
    }

    /// Reads one descriptor; `None` when the bytes are too few for what the page says is in them.
    pub(super) fn decode(bytes: &[u8], primary_tag: bool, alternate_tag: bool) -> Option<Self> {
        let (fixed, mut rest) = bytes.split_first_chunk::<FIXED_LENGTH>()?;
        let mut primary_volume_tag = None;
        if primary_tag {
            let (tag, after) = rest.split_first_chunk::<{ VolumeTag::LENGTH }>()?;
            primary_volume_tag = Some(VolumeTag::from_bytes(tag));
            rest = after;
        }
        if alternate_tag {
            rest = rest.get(VolumeTag::LENGTH..)?;
        }
        let flag = |bit: u8| fixed[2] & bit != 0;
        Some(Self {
            element_address: be16(fixed[0], fixed[1]),
            full: flag(0x01),
            import_export: flag(0x02),
            exception: flag(0x04).then_some(Asc { asc: fixed[4], ascq: fixed[5] }),
            access: flag(0x08),
            export_enabled: flag(0x10),
            import_enabled: flag(0x20),
            source_storage_element_address: (fixed[9] & 0x80 != 0).then_some(be16(fixed[10], fixed[11])),
            element_disabled: fixed[9] & 0x08 != 0,
            medium_type: fixed[9] & 0x07,
            primary_volume_tag,
            identifier: ElementIdentifier::decode(rest),
        })
    }
}

impl ElementIdentifier {
    /// Reads an identifier, laid out as a designation descriptor of the Device Identification VPD page; `None` where
    /// there is none. Old changers leave the whole field out.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<IDENTIFIER_HEADER_LENGTH>()?;
        let identifier = rest.get(..usize::from(header[3]))?;
        (!identifier.is_empty()).then(|| Self {
            code_set: header[0] & 0x0f,
            identifier_type: header[1] & 0x0f,
            identifier: Bytes::copy_from_slice(identifier),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(descriptor: &ElementDescriptor, tags: bool, length: usize) -> Vec<u8> {
        let mut out = BytesMut::new();
        descriptor.encode(tags, length, &mut out);
        out.to_vec()
    }

    #[test]
    fn golden_full_import_export_element() {
        let descriptor = ElementDescriptor {
            element_address: 10,
            full: true,
            import_export: true,
            access: true,
            export_enabled: true,
            import_enabled: true,
            source_storage_element_address: Some(1001),
            primary_volume_tag: Some(VolumeTag::new("CAP001L8")),
            ..ElementDescriptor::default()
        };
        let mut golden = vec![0, 10, 0x3b, 0, 0, 0, 0, 0, 0, 0x80, 0x03, 0xe9];
        golden.extend_from_slice(b"CAP001L8                        \0\0\0\0\0\0\0\0");
        assert_eq!(golden.len(), 52);
        assert_eq!(encode(&descriptor, true, 52), golden);
        assert_eq!(ElementDescriptor::decode(&golden, true, false), Some(descriptor));
    }

    #[test]
    fn golden_drive_with_exception_and_identifier() {
        let descriptor = ElementDescriptor {
            element_address: 500,
            exception: Some(Asc { asc: 0x83, ascq: 0x04 }),
            element_disabled: true,
            medium_type: 1,
            identifier: Some(ElementIdentifier {
                code_set: 2,
                identifier_type: 1,
                identifier: Bytes::from_static(b"ABC"),
            }),
            ..ElementDescriptor::default()
        };
        let golden = [0x01, 0xf4, 4, 0, 0x83, 0x04, 0, 0, 0, 0x09, 0, 0, 2, 1, 0, 3, b'A', b'B', b'C', 0];
        assert_eq!(encode(&descriptor, false, 20), golden);
        assert_eq!(ElementDescriptor::decode(&golden, false, false), Some(descriptor));
    }

    #[test]
    fn descriptors_that_lack_bytes_are_not_read() {
        assert_eq!(ElementDescriptor::decode(&[0; 11], false, false), None);
        assert_eq!(ElementDescriptor::decode(&[0; 47], true, false), None);
        assert_eq!(ElementDescriptor::decode(&[0; 83], true, true), None);
        assert!(ElementDescriptor::decode(&[0; 84], true, true).is_some());
        assert!(ElementDescriptor::decode(&[0; 12], false, false).is_some());
    }
}
