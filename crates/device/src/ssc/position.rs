//! READ POSITION. [SSC-5 7.7]

use bytes::Bytes;
use capstan_scsi::ssc::position::PositionData;

use super::TapeDrive;
use crate::server::Command;
use crate::spc::{Reply, data_in};

/// The position is known from the operation before: the medium is not asked.
///
/// ALLOCATION LENGTH counts in the extended form.
// DEVIATION(ssc-004): in the other forms, where the standard wants it zero, a length that is not zero cuts the data.
pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let position = drive.threaded()?.position;
    let data = PositionData {
        unknown: drive.position_lost,
        bop: position.is_beginning_of_partition(),
        eop: position.early_warning,
        partition: position.partition.0,
        object: position.object.0,
        filemarks: position.filemark.0,
    };
    let allocation_length = u32::from(command.cdb.u16(7));
    let (data, extended) = match command.cdb.service_action() {
        0x06 => (data.encode_long().to_vec(), false),
        0x08 => (data.encode_extended().to_vec(), true),
        _ => (data.encode_short().to_vec(), false),
    };
    let unlimited = allocation_length == 0 && !extended;
    Ok(data_in(data, if unlimited { u32::MAX } else { allocation_length }))
}
