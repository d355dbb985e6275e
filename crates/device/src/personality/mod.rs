//! What differs between drive models, as data.

mod ibm_ult3580_td8;

pub use ibm_ult3580_td8::IBM_ULT3580_TD8;

use capstan_scsi::ssc::density::{DensityCode, DensityDescriptor};

/// A drive model.
#[derive(Debug)]
pub struct DrivePersonality {
    /// T10 VENDOR IDENTIFICATION.
    pub vendor: &'static str,
    /// PRODUCT IDENTIFICATION.
    pub product: &'static str,
    /// PRODUCT REVISION LEVEL. LTFS wants "HB81" or later of an IBM LTO-8 drive.
    pub revision: &'static str,
    /// Densities in ascending order of code.
    pub densities: &'static [DensityDescriptor],
    /// Density of the cartridges that it writes.
    pub density: DensityCode,
    /// MEDIUM TYPE of such a cartridge, without WORM.
    pub medium_type: u8,
}
