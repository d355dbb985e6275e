//! Words of the media changer: commands, element status, mode pages. [SMC-3]
//!
//! Commands parse from and build CDBs, element status and pages encode and decode, so that the device server and
//! the initiator share one description of each layout.

mod capabilities;
mod cdb;
mod element_status;
mod geometry;
mod medium_cdb;
mod report;
mod volume_cdb;
mod volume_tag;

pub use capabilities::{DeviceCapabilitiesPage, ElementTypes};
pub use cdb::{InitializeElementStatus, InitializeElementStatusWithRange, ReadElementStatus};
pub use element_status::{ElementDescriptor, ElementIdentifier};
pub use geometry::{ElementAddressAssignmentPage, ElementRange, TransportGeometryPage};
pub use medium_cdb::{ExchangeMedium, MoveMedium, PositionToElement};
pub use report::{ElementStatusError, ElementStatusPage, ElementStatusReport};
pub use volume_cdb::{RequestVolumeElementAddress, SendActionCode, SendVolumeTag, VolumeTagSearch};
pub use volume_tag::VolumeTag;

use std::fmt;

use crate::wire;

/// ELEMENT TYPE CODE. [SMC-3 element type code]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementType(pub u8);

impl ElementType {
    /// All types, in a request.
    pub const ALL: Self = Self(0);
    /// Medium transport element: the picker.
    pub const MEDIUM_TRANSPORT: Self = Self(1);
    /// Storage element: a slot.
    pub const STORAGE: Self = Self(2);
    /// Import/export element: a mail slot.
    pub const IMPORT_EXPORT: Self = Self(3);
    /// Data transfer element: a drive.
    pub const DATA_TRANSFER: Self = Self(4);

    /// A code that the standard defines.
    #[must_use]
    pub fn is_defined(self) -> bool {
        self.0 <= Self::DATA_TRANSFER.0
    }
}

impl fmt::Debug for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::ALL => "ALL",
            Self::MEDIUM_TRANSPORT => "MEDIUM TRANSPORT",
            Self::STORAGE => "STORAGE",
            Self::IMPORT_EXPORT => "IMPORT/EXPORT",
            Self::DATA_TRANSFER => "DATA TRANSFER",
            Self(other) => return write!(f, "ElementType({other:#03x})"),
        };
        f.write_str(name)
    }
}

/// The big-endian number in two bytes of a CDB or page.
const fn be16(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

/// The big-endian number in three bytes of a CDB or page.
const fn be24(high: u8, middle: u8, low: u8) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

/// A length of three bytes; a longer one becomes the longest that fits.
fn to_be24(length: u32) -> [u8; 3] {
    wire::u24(length.min(0x00ff_ffff))
}
