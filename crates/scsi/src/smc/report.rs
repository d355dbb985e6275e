//! An element status report: header, then a page for each element type, then descriptors.
//!
//! ```text
//! FIRST ELEMENT ADDRESS REPORTED (2), NUMBER OF ELEMENTS (2), reserved or SEND ACTION CODE (1), BYTE COUNT (3)
//!   ELEMENT TYPE CODE (1), PVOLTAG AVOLTAG (1), ELEMENT DESCRIPTOR LENGTH (2), reserved (1), BYTE COUNT (3)
//!     descriptors
//! ```
//! Both byte counts say what there is, not what fitted into the ALLOCATION LENGTH: initiators come back with the
//! right length. A report that does not fit ends after the last descriptor that does. [SMC-3 READ ELEMENT STATUS]

use bytes::{BufMut, Bytes, BytesMut};

use super::element_status::{FIXED_LENGTH, IDENTIFIER_HEADER_LENGTH};
use super::{ElementDescriptor, ElementType, VolumeTag, be16, be24, to_be24};
use crate::wire;

/// Elements of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElementStatusPage {
    /// ELEMENT TYPE CODE.
    pub element_type: ElementType,
    /// PVOLTAG: descriptors have a primary volume tag.
    pub primary_volume_tags: bool,
    /// The elements, ascending by address.
    pub descriptors: Vec<ElementDescriptor>,
}

/// Answer to READ ELEMENT STATUS and REQUEST VOLUME ELEMENT ADDRESS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ElementStatusReport {
    /// SEND ACTION CODE that the report answers; 0 in READ ELEMENT STATUS. [SMC-3 REQUEST VOLUME ELEMENT ADDRESS]
    pub send_action_code: u8,
    /// A page for each element type.
    pub pages: Vec<ElementStatusPage>,
}

/// Why bytes are no element status report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ElementStatusError {
    /// Less than a header.
    #[error("an element status report of {0} bytes has no header")]
    NoHeader(usize),
    /// The descriptors are too short for the fields that the page says they have.
    #[error("element descriptors of {0} bytes are too short")]
    DescriptorLength(u16),
}

/// Header of the report and of each page.
const HEADER_LENGTH: usize = 8;

impl ElementStatusPage {
    /// ELEMENT DESCRIPTOR LENGTH.
    #[must_use]
    pub fn descriptor_length(&self) -> usize {
        let tags = if self.primary_volume_tags { VolumeTag::LENGTH } else { 0 };
        let identifier = self.descriptors.iter().map(ElementDescriptor::identifier_length).max().unwrap_or(0);
        (FIXED_LENGTH + IDENTIFIER_HEADER_LENGTH).saturating_add(tags).saturating_add(identifier)
    }

    fn length(&self) -> usize {
        self.descriptors.len().saturating_mul(self.descriptor_length()).saturating_add(HEADER_LENGTH)
    }

    /// Appends what fits into `limit` bytes in all; false when something did not.
    fn encode(&self, limit: usize, out: &mut BytesMut) -> bool {
        let length = self.descriptor_length();
        if limit.saturating_sub(out.len()) < HEADER_LENGTH {
            return false;
        }
        out.put_slice(&[self.element_type.0, u8::from(self.primary_volume_tags) << 7]);
        out.put_u16(wire::length_u16(length));
        out.put_u8(0);
        out.put_slice(&to_be24(wire::length_u32(self.length().saturating_sub(HEADER_LENGTH))));
        self.descriptors.iter().all(|descriptor| {
            let fits = limit.saturating_sub(out.len()) >= length;
            if fits {
                descriptor.encode(self.primary_volume_tags, length, out);
            }
            fits
        })
    }
}

impl ElementStatusReport {
    /// The report, cut to `allocation_length`: after the last complete descriptor, or within the header.
    #[must_use]
    pub fn encode(&self, allocation_length: u32) -> Bytes {
        let limit = usize::try_from(allocation_length).unwrap_or(usize::MAX);
        let pages: usize = self.pages.iter().map(ElementStatusPage::length).fold(0, usize::saturating_add);
        let elements = self.pages.iter().map(|page| page.descriptors.len()).fold(0, usize::saturating_add);
        let first = self.pages.iter().flat_map(|page| &page.descriptors).map(|element| element.element_address).min();
        let mut out = BytesMut::with_capacity(limit.min(pages.saturating_add(HEADER_LENGTH)));
        out.put_u16(first.unwrap_or(0));
        out.put_u16(wire::length_u16(elements));
        out.put_u8(self.send_action_code & 0x1f);
        out.put_slice(&to_be24(wire::length_u32(pages)));
        let _complete = self.pages.iter().all(|page| page.encode(limit, &mut out));
        out.truncate(limit);
        out.freeze()
    }

    /// The size of the complete report, from the header of one that may be cut.
    #[must_use]
    pub fn complete_length(bytes: &[u8]) -> Option<u32> {
        let header: &[u8; HEADER_LENGTH] = bytes.first_chunk()?;
        Some(be24(header[5], header[6], header[7]).saturating_add(8))
    }

    /// Reads the complete descriptors of a report, which may be cut.
    ///
    /// # Errors
    /// [`ElementStatusError`]: no header, or a page whose descriptors cannot hold what it says they hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, ElementStatusError> {
        let (header, mut rest) =
            bytes.split_first_chunk::<HEADER_LENGTH>().ok_or(ElementStatusError::NoHeader(bytes.len()))?;
        let mut pages = Vec::new();
        while let Some((page, after)) = rest.split_first_chunk::<HEADER_LENGTH>() {
            let length = be16(page[2], page[3]);
            let available = usize::try_from(be24(page[5], page[6], page[7])).unwrap_or(usize::MAX);
            let (descriptors, next) = after.split_at(available.min(after.len()));
            let (primary, alternate) = (page[1] & 0x80 != 0, page[1] & 0x40 != 0);
            let decoded = if length == 0 && descriptors.is_empty() {
                Some(Vec::new())
            } else if usize::from(length) < FIXED_LENGTH {
                None
            } else {
                let complete = descriptors.chunks_exact(usize::from(length));
                complete.map(|bytes| ElementDescriptor::decode(bytes, primary, alternate)).collect()
            };
            pages.push(ElementStatusPage {
                element_type: ElementType(page[0]),
                primary_volume_tags: primary,
                descriptors: decoded.ok_or(ElementStatusError::DescriptorLength(length))?,
            });
            rest = next;
        }
        Ok(Self { send_action_code: header[4] & 0x1f, pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(element_address: u16, full: bool) -> ElementDescriptor {
        ElementDescriptor { element_address, full, access: true, ..ElementDescriptor::default() }
    }

    fn report() -> ElementStatusReport {
        let picker = ElementDescriptor { element_address: 1, ..ElementDescriptor::default() };
        let page =
            |element_type, descriptors| ElementStatusPage { element_type, primary_volume_tags: false, descriptors };
        ElementStatusReport {
            send_action_code: 0,
            pages: vec![
                page(ElementType::MEDIUM_TRANSPORT, vec![picker]),
                page(ElementType::STORAGE, vec![slot(1000, true), slot(1001, false)]),
            ],
        }
    }

    #[rustfmt::skip]
    const GOLDEN: [u8; 72] = [
        0, 1, 0, 3, 0, 0, 0, 64,
        1, 0, 0, 16, 0, 0, 0, 16,
        0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 0, 0, 16, 0, 0, 0, 32,
        0x03, 0xe8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x03, 0xe9, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn golden_report_both_ways() {
        assert_eq!(&report().encode(72)[..], &GOLDEN[..]);
        assert_eq!(&report().encode(0x00ff_ffff)[..], &GOLDEN[..]);
        assert_eq!(ElementStatusReport::decode(&GOLDEN), Ok(report()));
        assert_eq!(ElementStatusReport::complete_length(&GOLDEN[..8]), Some(72));
    }

    #[test]
    fn a_cut_report_ends_after_a_header_or_descriptor_and_keeps_its_counts() {
        let ends = [8, 16, 32, 40, 56, 72];
        for allocation in 0_u32..80 {
            let wanted = usize::try_from(allocation).unwrap();
            let expected = if wanted < 8 { wanted } else { *ends.iter().rfind(|end| **end <= wanted).unwrap() };
            assert_eq!(&report().encode(allocation)[..], &GOLDEN[..expected], "allocation length {allocation}");
        }
    }

    #[test]
    fn an_empty_report_is_a_header() {
        assert_eq!(&ElementStatusReport::default().encode(255)[..], &[0; 8]);
        assert_eq!(ElementStatusReport::decode(&[0; 8]), Ok(ElementStatusReport::default()));
    }

    #[test]
    fn a_short_identifier_is_padded_to_the_longest() {
        let drive = |element_address, identifier: &'static [u8]| ElementDescriptor {
            element_address,
            identifier: Some(super::super::ElementIdentifier {
                code_set: 2,
                identifier_type: 1,
                identifier: Bytes::from_static(identifier),
            }),
            ..ElementDescriptor::default()
        };
        let report = ElementStatusReport {
            send_action_code: 0,
            pages: vec![ElementStatusPage {
                element_type: ElementType::DATA_TRANSFER,
                primary_volume_tags: true,
                descriptors: vec![drive(500, b"AB"), drive(501, b"ABCD")],
            }],
        };
        let bytes = report.encode(u32::MAX);
        assert_eq!(bytes.len(), 8 + 8 + 2 * 56);
        assert_eq!(&bytes[8..16], &[4, 0x80, 0, 56, 0, 0, 0, 112]);
        assert_eq!(&bytes[64..72], &[2, 1, 0, 2, b'A', b'B', 0, 0]);
        assert_eq!(&bytes[120..], &[2, 1, 0, 4, b'A', b'B', b'C', b'D']);
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()
        };
        let mut read = 0;
        for _ in 0..20_000 {
            let mut bytes = GOLDEN;
            for _ in 0..4 {
                let [at, value, ..] = next();
                bytes[usize::from(at) % GOLDEN.len()] = value;
            }
            read += u32::from(ElementStatusReport::decode(&bytes).is_ok());
        }
        assert!((1..20_000).contains(&read));
    }

    #[test]
    fn damaged_reports_are_refused_or_read_in_part() {
        assert_eq!(ElementStatusReport::decode(&GOLDEN[..7]), Err(ElementStatusError::NoHeader(7)));
        for length in 8..GOLDEN.len() {
            assert!(ElementStatusReport::decode(&GOLDEN[..length]).is_ok(), "{length}");
        }
        let mut bytes = GOLDEN;
        bytes[11] = 11;
        assert_eq!(ElementStatusReport::decode(&bytes), Err(ElementStatusError::DescriptorLength(11)));
        bytes[11] = 0;
        assert_eq!(ElementStatusReport::decode(&bytes), Err(ElementStatusError::DescriptorLength(0)));
    }
}
