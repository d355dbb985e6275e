//! Standard INQUIRY data. [SPC-5 6.7.2]

use crate::wire;

/// PERIPHERAL DEVICE TYPE values. [SPC-5 6.7.2]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DeviceType(pub u8);

impl DeviceType {
    /// Sequential-access device: a tape drive.
    pub const SEQUENTIAL_ACCESS: Self = Self(0x01);
    /// Media changer.
    pub const MEDIA_CHANGER: Self = Self(0x08);
    /// Unknown, or no device: with [`QUALIFIER_NOT_CAPABLE`] the answer of a LUN that does not exist.
    pub const UNKNOWN: Self = Self(0x1f);
}

/// PERIPHERAL QUALIFIER 011b in place: no device can be here. [SPC-5 6.7.2]
pub const QUALIFIER_NOT_CAPABLE: u8 = 0b011 << 5;

/// VERSION DESCRIPTOR values: which standards a device claims. [SPC-5 6.7.2]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VersionDescriptor(pub u16);

impl VersionDescriptor {
    /// SAM-5, no version claimed.
    pub const SAM_5: Self = Self(0x00a0);
    /// SPC-4, no version claimed.
    pub const SPC_4: Self = Self(0x0460);
    /// SSC-4, no version claimed.
    pub const SSC_4: Self = Self(0x0520);
    /// SMC-3, no version claimed.
    pub const SMC_3: Self = Self(0x0480);
    /// iSCSI, no version claimed.
    pub const ISCSI: Self = Self(0x0960);
}

/// Standard INQUIRY data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandardInquiry {
    /// PERIPHERAL DEVICE TYPE; the qualifier is 000b.
    pub device_type: DeviceType,
    /// RMB: the medium is removable.
    pub rmb: bool,
    /// T10 VENDOR IDENTIFICATION, at most 8 characters.
    pub vendor: &'static str,
    /// PRODUCT IDENTIFICATION, at most 16 characters.
    pub product: &'static str,
    /// PRODUCT REVISION LEVEL, at most 4 characters.
    pub revision: &'static str,
    /// Vendor-specific bytes 36 to 55.
    pub vendor_specific: [u8; 20],
    /// VERSION DESCRIPTORs, at most 8.
    pub version_descriptors: &'static [VersionDescriptor],
}

/// VERSION: SPC-4. At least SPC-3 is needed for Linux to use SSC-3 features.
const VERSION_SPC_4: u8 = 0x06;
/// RESPONSE DATA FORMAT 2, the only one there is.
const RESPONSE_DATA_FORMAT: u8 = 0x02;
/// ADDITIONAL LENGTH of the 74 bytes, up to the last version descriptor.
const ADDITIONAL_LENGTH: u8 = 74 - 5;
/// CMDQUE: tagged tasks are queued.
const CMDQUE: u8 = 0x02;

impl StandardInquiry {
    /// The 74 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let rmb = if self.rmb { 0x80 } else { 0 };
        let mut data = vec![self.device_type.0, rmb, VERSION_SPC_4, RESPONSE_DATA_FORMAT, ADDITIONAL_LENGTH];
        // SCCS.., MULTIP.. and MChngr (a drive with it is asked for element status by mtx) are zero.
        data.extend([0, 0, CMDQUE]);
        data.extend(wire::ascii::<8>(self.vendor));
        data.extend(wire::ascii::<16>(self.product));
        data.extend(wire::ascii::<4>(self.revision));
        data.extend(self.vendor_specific);
        data.extend([0, 0]);
        for index in 0..8 {
            let descriptor = self.version_descriptors.get(index).map_or(0, |descriptor| descriptor.0);
            data.extend(descriptor.to_be_bytes());
        }
        data
    }
}

/// Standard INQUIRY data of a LUN that does not exist: qualifier 011b, type 1Fh, 36 bytes. [SPC-5 6.7.2]
#[must_use]
pub fn not_capable() -> Vec<u8> {
    let mut data = vec![QUALIFIER_NOT_CAPABLE | DeviceType::UNKNOWN.0, 0, VERSION_SPC_4, RESPONSE_DATA_FORMAT, 36 - 5];
    data.extend([0, 0, 0]);
    data.extend(wire::ascii::<28>(""));
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_standard_inquiry() {
        let inquiry = StandardInquiry {
            device_type: DeviceType::SEQUENTIAL_ACCESS,
            rmb: true,
            vendor: "IBM",
            product: "ULT3580-TD8",
            revision: "HB82",
            vendor_specific: [0; 20],
            version_descriptors: &[VersionDescriptor::SAM_5, VersionDescriptor::ISCSI],
        };
        let data = inquiry.encode();
        assert_eq!(data.len(), 74);
        assert_eq!(&data[..36], b"\x01\x80\x06\x02\x45\x00\x00\x02IBM     ULT3580-TD8     HB82");
        assert_eq!(&data[36..58], &[0; 22]);
        assert_eq!(&data[58..62], &[0x00, 0xa0, 0x09, 0x60]);
        assert_eq!(&data[62..], &[0; 12]);
    }

    #[test]
    fn golden_inquiry_of_no_device() {
        assert_eq!(&not_capable()[..8], &[0x7f, 0, 6, 2, 31, 0, 0, 0]);
        assert_eq!(not_capable().len(), 36);
    }
}
