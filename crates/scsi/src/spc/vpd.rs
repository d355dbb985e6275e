//! Vital product data pages. [SPC-5 7.7]

use super::inquiry::DeviceType;
use crate::wire;

/// VPD page codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VpdPageCode(pub u8);

impl VpdPageCode {
    /// Supported VPD Pages.
    pub const SUPPORTED_VPD_PAGES: Self = Self(0x00);
    /// Unit Serial Number.
    pub const UNIT_SERIAL_NUMBER: Self = Self(0x80);
    /// Device Identification.
    pub const DEVICE_IDENTIFICATION: Self = Self(0x83);
    /// Sequential-access Device Capabilities (of a drive). [SSC-5]
    pub const SEQUENTIAL_ACCESS_DEVICE_CAPABILITIES: Self = Self(0xb0);
    /// Manufacturer-assigned Serial Number (of a drive). [SSC-5]
    pub const MANUFACTURER_ASSIGNED_SERIAL_NUMBER: Self = Self(0xb1);
    /// TapeAlert Supported Flags (of a drive). [SSC-5]
    pub const TAPE_ALERT_SUPPORTED_FLAGS: Self = Self(0xb2);
}

/// A VPD page: header and `payload`. A payload of more than 65535 bytes does not occur.
#[must_use]
pub fn page(device_type: DeviceType, code: VpdPageCode, payload: &[u8]) -> Vec<u8> {
    let mut data = vec![device_type.0, code.0];
    data.extend(wire::length_u16(payload.len()).to_be_bytes());
    data.extend(payload);
    data
}

/// Payload of Supported VPD Pages: `codes` in ascending order.
#[must_use]
pub fn supported_pages(codes: &[VpdPageCode]) -> Vec<u8> {
    codes.iter().map(|code| code.0).collect()
}

/// ASSOCIATION of a designator. [SPC-5 7.7.6.1]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Association {
    /// The logical unit.
    LogicalUnit = 0,
    /// The target port that received the command.
    TargetPort = 1,
    /// The target device.
    TargetDevice = 2,
}

const CODE_SET_BINARY: u8 = 1;
const CODE_SET_ASCII: u8 = 2;
const CODE_SET_UTF8: u8 = 3;
/// PROTOCOL IDENTIFIER of iSCSI with PIV. [SPC-5 7.6.1]
const PROTOCOL_ISCSI: u8 = 5;
const PIV: u8 = 0x80;

/// A designation descriptor. [SPC-5 7.7.6]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Designator {
    /// T10 vendor ID based, of the logical unit: vendor, product and serial number.
    T10VendorId {
        /// T10 VENDOR IDENTIFICATION.
        vendor: &'static str,
        /// PRODUCT IDENTIFICATION, padded to 16.
        product: &'static str,
        /// Serial number.
        serial: String,
    },
    /// NAA identifier of eight bytes, of the logical unit.
    Naa(u64),
    /// RELATIVE TARGET PORT IDENTIFIER.
    RelativeTargetPort(u16),
    /// SCSI name string: the iSCSI name, with `,t,0x0001` for a port.
    ScsiName(Association, String),
}

impl Designator {
    fn encode(&self) -> Vec<u8> {
        let (set, kind, association, value) = match self {
            Self::T10VendorId { vendor, product, serial } => {
                let mut value = wire::ascii::<8>(vendor).to_vec();
                value.extend(wire::ascii::<16>(product));
                value.extend(serial.bytes());
                (CODE_SET_ASCII, 0x1, Association::LogicalUnit, value)
            }
            Self::Naa(naa) => (CODE_SET_BINARY, 0x3, Association::LogicalUnit, naa.to_be_bytes().to_vec()),
            Self::RelativeTargetPort(port) => {
                let [high, low] = port.to_be_bytes();
                (CODE_SET_BINARY, 0x4, Association::TargetPort, vec![0, 0, high, low])
            }
            Self::ScsiName(association, name) => (CODE_SET_UTF8, 0x8, *association, null_padded(name)),
        };
        // PIV and PROTOCOL IDENTIFIER are defined for ports and target devices only.
        let (protocol, piv) = match association {
            Association::LogicalUnit => (0, 0),
            Association::TargetPort | Association::TargetDevice => (PROTOCOL_ISCSI << 4, PIV),
        };
        let mut descriptor = vec![protocol | set, piv | (association as u8) << 4 | kind, 0];
        descriptor.push(wire::length_u8(value.len()));
        descriptor.extend(value.into_iter().take(usize::from(u8::MAX)));
        descriptor
    }
}

/// Payload of Device Identification.
#[must_use]
pub fn device_identification(designators: &[Designator]) -> Vec<u8> {
    designators.iter().flat_map(Designator::encode).collect()
}

/// `name` with a terminating NUL, padded with NULs to a multiple of four, at most 252 bytes. [SPC-5 4.4.2]
fn null_padded(name: &str) -> Vec<u8> {
    let mut value: Vec<u8> = name.bytes().take(251).collect();
    value.push(0);
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_pages() {
        let codes = [VpdPageCode::SUPPORTED_VPD_PAGES, VpdPageCode::UNIT_SERIAL_NUMBER];
        let data = page(DeviceType::SEQUENTIAL_ACCESS, codes[0], &supported_pages(&codes));
        assert_eq!(data, [1, 0, 0, 2, 0, 0x80]);
        let data = page(DeviceType::MEDIA_CHANGER, codes[1], b"ABC");
        assert_eq!(data, *b"\x08\x80\x00\x03ABC");
    }

    #[test]
    fn golden_device_identification() {
        let designators = [
            Designator::T10VendorId { vendor: "IBM", product: "ULT3580-TD8", serial: "S1".to_owned() },
            Designator::Naa(0x3123_4567_89ab_cdef),
            Designator::RelativeTargetPort(1),
            Designator::ScsiName(Association::TargetPort, "iqn.x,t,0x0001".to_owned()),
            Designator::ScsiName(Association::TargetDevice, "iqn.x".to_owned()),
        ];
        let expected = [
            b"\x02\x01\x00\x1aIBM     ULT3580-TD8     S1".as_slice(),
            b"\x01\x03\x00\x08\x31\x23\x45\x67\x89\xab\xcd\xef",
            b"\x51\x94\x00\x04\x00\x00\x00\x01",
            b"\x53\x98\x00\x10iqn.x,t,0x0001\x00\x00",
            b"\x53\xa8\x00\x08iqn.x\x00\x00\x00",
        ];
        assert_eq!(device_identification(&designators), expected.concat());
    }
}
