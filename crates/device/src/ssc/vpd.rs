//! INQUIRY data of the drive. [SSC-5 8.6]

use capstan_scsi::spc::inquiry::{DeviceType, StandardInquiry, VersionDescriptor};
use capstan_scsi::spc::vpd::VpdPageCode;

use super::TapeAlertFlag;
use crate::personality::DrivePersonality;
use crate::spc::Identity;

const VERSIONS: [VersionDescriptor; 4] =
    [VersionDescriptor::SAM_5, VersionDescriptor::SPC_4, VersionDescriptor::SSC_4, VersionDescriptor::ISCSI];

pub(super) fn inquiry(personality: &DrivePersonality) -> StandardInquiry {
    StandardInquiry {
        device_type: DeviceType::SEQUENTIAL_ACCESS,
        rmb: true,
        vendor: personality.vendor,
        product: personality.product,
        revision: personality.revision,
        vendor_specific: [0; 20],
        version_descriptors: &VERSIONS,
    }
}

pub(super) const PAGES: [VpdPageCode; 3] = [
    VpdPageCode::SEQUENTIAL_ACCESS_DEVICE_CAPABILITIES,
    VpdPageCode::MANUFACTURER_ASSIGNED_SERIAL_NUMBER,
    VpdPageCode::TAPE_ALERT_SUPPORTED_FLAGS,
];

pub(super) fn payload(identity: &Identity, page: VpdPageCode) -> Option<Vec<u8>> {
    match page {
        // TSMC and WORM are zero: the drive writes no WORM media yet.
        VpdPageCode::SEQUENTIAL_ACCESS_DEVICE_CAPABILITIES => Some(vec![0, 0]),
        VpdPageCode::MANUFACTURER_ASSIGNED_SERIAL_NUMBER => Some(identity.serial.as_bytes().to_vec()),
        VpdPageCode::TAPE_ALERT_SUPPORTED_FLAGS => {
            let flags = TapeAlertFlag::SUPPORTED.iter().fold(0, |flags, flag| flags | flag.bit());
            Some(flags.to_be_bytes().to_vec())
        }
        _ => None,
    }
}
