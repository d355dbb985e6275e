//! READ BLOCK LIMITS and REPORT DENSITY SUPPORT. [SSC-5 7.6, 7.8]

use bytes::Bytes;
use capstan_media::MAX_BLOCK_LENGTH;
use capstan_scsi::ssc::block_limits::BlockLimits;
use capstan_scsi::ssc::density::{self, DensityDescriptor};

use super::TapeDrive;
use crate::server::Command;
use crate::spc::{Reply, data_in};

pub(super) fn block_limits(_: &mut TapeDrive, _: &Command, _: Bytes) -> Reply<TapeDrive> {
    Ok(data_in(BlockLimits { maximum: MAX_BLOCK_LENGTH, minimum: 1 }.encode(), u32::MAX))
}

/// MEDIA=1 reports the density of the threaded cartridge only.
pub(super) fn density_support(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let media = command.cdb.bit(1, 0);
    if media {
        drive.threaded()?;
    }
    let personality = drive.personality;
    let reported: Vec<DensityDescriptor> =
        personality.densities.iter().filter(|density| !media || density.code == personality.density).copied().collect();
    Ok(data_in(density::encode(&reported), u32::from(command.cdb.u16(7))))
}
