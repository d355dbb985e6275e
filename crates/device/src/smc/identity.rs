//! Who the changer and its drives are.

use capstan_scsi::smc::ElementIdentifier;
use capstan_scsi::spc::vpd::{self, Designator};

/// Identity of the changer; all of it comes from the library's uuid, nothing from its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangerIdentity {
    /// Unit serial number: 1 to 32 printable characters without blanks. [SPC-5 7.7.18]
    pub serial: String,
    /// NAA identifier of the logical unit. [SPC-5 7.7.6.6]
    pub naa: u64,
    /// Name of the target that the logical unit is in, for iSCSI its iSCSI name. [SPC-5 7.7.6.11]
    pub target: String,
}

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
    /// The same bytes as in the drive's Device Identification page. [SMC-3 6.11.6, SPC-5 7.7.6.4]
    pub(super) fn identifier(&self) -> Option<ElementIdentifier> {
        let (vendor, product) = (self.vendor, self.product);
        let designator = Designator::T10VendorId { vendor, product, serial: self.serial.clone() };
        ElementIdentifier::decode(&vpd::device_identification(&[designator]))
    }
}
