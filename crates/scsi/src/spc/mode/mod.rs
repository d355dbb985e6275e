//! Mode parameters: header, block descriptor, pages, both ways. [SPC-5 7.5]
//!
//! A device keeps its pages as [`ModePages`]: for each page what is current, what may be changed and the defaults,
//! as the bytes after the page header. MODE SENSE is then selection and encoding, MODE SELECT decoding and a check
//! against the changeable bits; what a field means stays with the device.

mod list;
mod page;

pub use list::{BLOCK_DESCRIPTOR_LENGTH, HeaderForm, ModeHeader, ModeParameterList, SelectedPage, encode};
pub use page::{ModePage, ModePages, PageControl, Selection};

/// Mode page codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModePageCode(pub u8);

impl ModePageCode {
    /// Header and block descriptor only (vendor-specific by the standard; what Linux's `st` asks for).
    pub const NONE: Self = Self(0x00);
    /// Read-Write Error Recovery. [SSC-5]
    pub const READ_WRITE_ERROR_RECOVERY: Self = Self(0x01);
    /// Disconnect-Reconnect.
    pub const DISCONNECT_RECONNECT: Self = Self(0x02);
    /// Control.
    pub const CONTROL: Self = Self(0x0a);
    /// Data Compression. [SSC-5]
    pub const DATA_COMPRESSION: Self = Self(0x0f);
    /// Device Configuration, with subpage 01h its extension. [SSC-5]
    pub const DEVICE_CONFIGURATION: Self = Self(0x10);
    /// Medium Partition. [SSC-5]
    pub const MEDIUM_PARTITION: Self = Self(0x11);
    /// Informational Exceptions Control.
    pub const INFORMATIONAL_EXCEPTIONS_CONTROL: Self = Self(0x1c);
    /// Medium Configuration (of a drive). [SSC-5]
    pub const MEDIUM_CONFIGURATION: Self = Self(0x1d);
    /// Element Address Assignment (of a changer). [SMC-3]
    pub const ELEMENT_ADDRESS_ASSIGNMENT: Self = Self(0x1d);
    /// Transport Geometry Parameters (of a changer). [SMC-3]
    pub const TRANSPORT_GEOMETRY: Self = Self(0x1e);
    /// Device Capabilities (of a changer). [SMC-3]
    pub const DEVICE_CAPABILITIES: Self = Self(0x1f);
    /// All pages.
    pub const ALL: Self = Self(0x3f);
}

/// SUBPAGE CODE of "all subpages".
pub const ALL_SUBPAGES: u8 = 0xff;
