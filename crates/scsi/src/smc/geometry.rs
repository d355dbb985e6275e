//! Mode pages about addresses and the picker: 1Dh and 1Eh. Each is written with its two-byte header.

use crate::smc;

/// First address and number of the elements of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ElementRange {
    /// Address of the first.
    pub first: u16,
    /// How many.
    pub count: u16,
}

/// Element Address Assignment mode page (1Dh): initiators size and address all their requests by it. [SMC-3 mode parameters]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ElementAddressAssignmentPage {
    /// Medium transport elements.
    pub medium_transport: ElementRange,
    /// Storage elements.
    pub storage: ElementRange,
    /// Import/export elements.
    pub import_export: ElementRange,
    /// Data transfer elements.
    pub data_transfer: ElementRange,
}

impl ElementAddressAssignmentPage {
    /// PAGE CODE.
    pub const PAGE_CODE: u8 = 0x1d;

    /// The page.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 20] {
        let mut page = [0; 20];
        page[0] = Self::PAGE_CODE;
        page[1] = 18;
        let ranges = [self.medium_transport, self.storage, self.import_export, self.data_transfer];
        for (field, range) in page[2..].chunks_exact_mut(4).zip(ranges) {
            let (first, count) = field.split_at_mut(2);
            first.copy_from_slice(&range.first.to_be_bytes());
            count.copy_from_slice(&range.count.to_be_bytes());
        }
        page
    }

    /// Reads the page; `None` when it is another one.
    #[must_use]
    pub fn parse(page: &[u8]) -> Option<Self> {
        let page: &[u8; 18] = page.first_chunk()?;
        if page[0] & 0x3f != Self::PAGE_CODE || page[1] < 16 {
            return None;
        }
        let range = |bytes: [u8; 4]| ElementRange {
            first: smc::be16(bytes[0], bytes[1]),
            count: smc::be16(bytes[2], bytes[3]),
        };
        Some(Self {
            medium_transport: range([page[2], page[3], page[4], page[5]]),
            storage: range([page[6], page[7], page[8], page[9]]),
            import_export: range([page[10], page[11], page[12], page[13]]),
            data_transfer: range([page[14], page[15], page[16], page[17]]),
        })
    }
}

/// Transport Geometry Parameters mode page (1Eh), for the one picker of a tape library. [SMC-3 mode parameters]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TransportGeometryPage {
    /// ROTATE bit: the picker can turn a medium over.
    pub rotate: bool,
    /// MEMBER NUMBER IN TRANSPORT ELEMENT SET.
    pub member_number: u8,
}

impl TransportGeometryPage {
    /// PAGE CODE.
    pub const PAGE_CODE: u8 = 0x1e;

    /// The page.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 4] {
        [Self::PAGE_CODE, 2, u8::from(self.rotate), self.member_number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_address_assignment() {
        let page = ElementAddressAssignmentPage {
            medium_transport: ElementRange { first: 1, count: 1 },
            storage: ElementRange { first: 1000, count: 1500 },
            import_export: ElementRange { first: 10, count: 60 },
            data_transfer: ElementRange { first: 500, count: 10 },
        };
        let golden = [0x1d, 18, 0, 1, 0, 1, 0x03, 0xe8, 0x05, 0xdc, 0, 10, 0, 60, 0x01, 0xf4, 0, 10, 0, 0];
        assert_eq!(page.to_bytes(), golden);
        assert_eq!(ElementAddressAssignmentPage::parse(&golden), Some(page));
        assert_eq!(ElementAddressAssignmentPage::parse(&golden[..17]), None);
        assert_eq!(ElementAddressAssignmentPage::parse(&[0x1e; 20]), None);
    }

    #[test]
    fn golden_transport_geometry() {
        assert_eq!(TransportGeometryPage::default().to_bytes(), [0x1e, 2, 0, 0]);
        assert_eq!(TransportGeometryPage { rotate: true, member_number: 3 }.to_bytes(), [0x1e, 2, 1, 3]);
    }
}
