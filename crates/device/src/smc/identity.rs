//! Who the changer and its drives are.

use capstan_scsi::smc::ElementIdentifier;
use capstan_scsi::spc::inquiry::{DeviceType, StandardInquiry, VersionDescriptor};
use capstan_scsi::spc::vpd::{self, Designator};

use crate::spc::Identity;

/// Identity of the changer; all of it comes from the library's uuid, nothing from its name.
pub type ChangerIdentity = Identity;

/// Identity of a drive as the changer reports it: the T10 vendor ID designator of the drive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriveIdentity {
    /// T10 VENDOR IDENTIFICATION, at most 8 characters.
    pub vendor: &'static str,
    /// PRODUCT IDENTIFICATION, at most 16 characters.
    pub product: &'static str,
    /// Unit serial number.
    pub serial: String,
}

impl DriveIdentity {
    /// Vendor, product and serial number: how backup software finds which tape device is which drive of the library.
    /// The same bytes as in the drive's Device Identification page. [SMC-3 data transfer element descriptor]
    pub(super) fn identifier(&self) -> Option<ElementIdentifier> {
        let (vendor, product) = (self.vendor, self.product);
        let designator = Designator::T10VendorId { vendor, product, serial: self.serial.clone() };
        ElementIdentifier::decode(&vpd::device_identification(&[designator]))
    }
}

/// The StorageTek L700: of the changers that backup software knows, the one with the fewest special cases.
/// Of the vendor-specific bytes the last, byte 55, says that there is a bar code reader; loaderinfo prints it.
pub(super) const STK_L700: StandardInquiry = StandardInquiry {
    device_type: DeviceType::MEDIA_CHANGER,
    rmb: true,
    vendor: "STK",
    product: "L700",
    revision: "0105",
    vendor_specific: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    version_descriptors: &[
        VersionDescriptor::SAM_5,
        VersionDescriptor::SPC_4,
        VersionDescriptor::SMC_3,
        VersionDescriptor::ISCSI,
    ],
};
