//! IBM TotalStorage Ultrium 8 drive.

use capstan_scsi::ssc::density::{DensityCode, DensityDescriptor};

use super::DrivePersonality;

/// IBM ULT3580-TD8: LTO-8, reads and writes LTO-7 and LTO-8.
pub static IBM_ULT3580_TD8: DrivePersonality = DrivePersonality {
    vendor: "IBM",
    product: "ULT3580-TD8",
    revision: "HB82",
    densities: &[LTO_7, LTO_8],
    density: DensityCode::LTO_8,
    medium_type: 0x88,
};

const LTO_7: DensityDescriptor = DensityDescriptor {
    code: DensityCode::LTO_7,
    wrtok: true,
    deflt: false,
    bits_per_mm: 19_107,
    media_width: 127,
    tracks: 3584,
    capacity: 6_000_000,
    assigning_organization: "LTO-CVE",
    density_name: "U-732",
    description: "Ultrium 7/32T",
};

const LTO_8: DensityDescriptor = DensityDescriptor {
    code: DensityCode::LTO_8,
    wrtok: true,
    deflt: true,
    bits_per_mm: 20_669,
    media_width: 127,
    tracks: 6656,
    capacity: 12_000_000,
    assigning_organization: "LTO-CVE",
    density_name: "U-832",
    description: "Ultrium 8/32T",
};
