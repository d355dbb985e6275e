//! READ(6). [SSC-5 7.5]

use bytes::Bytes;
use capstan_media::{MAX_BLOCK_LENGTH, MediumDone, MediumFailure, MediumOp, ReadRequest, Stop};
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::Completion;
use capstan_scsi::{CheckCondition, SenseKey};

use super::transfer::Transfer;
use super::{DriveOp, DriveResult, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

/// SILI: suppress the report of an incorrect length.
fn sili(command: &Command) -> bool {
    command.cdb.bit(1, 1)
}

pub(super) fn check(drive: &TapeDrive, command: &Command) -> Result<u32, CheckCondition> {
    let transfer = Transfer::of(&command.cdb, drive.mode.block_length);
    if matches!(transfer, Transfer::Fixed { .. }) && sili(command) {
        return Err(CheckCondition::invalid_field_in_cdb(1, Some(1)));
    }
    transfer.bytes().map(|_| 0)
}

pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let request = match Transfer::of(&command.cdb, drive.mode.block_length) {
        Transfer::Variable { length: 0 } | Transfer::Fixed { count: 0, .. } => return Ok(good()),
        // No block is longer than this: asking for more finds the same block.
        Transfer::Variable { length } => ReadRequest { block_length: length.min(MAX_BLOCK_LENGTH), count: 1 },
        Transfer::Fixed { count, block_length } => ReadRequest { block_length, count },
    };
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Read(request))))
}

pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    let transfer = Transfer::of(&command.cdb, drive.mode.block_length);
    let done = match drive.settle(result)? {
        Ok(done) => done,
        Err(failure) => return Ok(failed(drive, transfer, failure)),
    };
    let blocks = if matches!(done.stop, Some(Stop::IncorrectLength { .. })) { 1 } else { 0 };
    let bytes = u64::try_from(done.data.len()).unwrap_or(u64::MAX);
    drive.statistics.count_read(done.count.saturating_add(blocks), bytes);
    let check_overlength = drive.mode.block_length != 0;
    let (data, ended) = match transfer {
        Transfer::Variable { length } => variable(done, length, sili(command), check_overlength),
        Transfer::Fixed { block_length, .. } => fixed(done, transfer, block_length),
    };
    let completion = match ended {
        None => Completion::good_with(data),
        Some(ended) => ended.into_completion(data),
    };
    Ok(Outcome::Done(completion))
}

/// The blocks before the one that cannot be read are good, and the host gets them. [SSC-5 7.5]
fn failed(drive: &mut TapeDrive, transfer: Transfer, failure: MediumFailure) -> Outcome<DriveOp> {
    let ended = medium_failure::check_condition(&failure, Some(transfer.residue(failure.count)));
    drive.statistics.count_read(failure.count, u64::try_from(failure.data.len()).unwrap_or(u64::MAX));
    Outcome::Done(ended.into_completion(failure.data))
}

/// One block of any length. A length other than the one asked for is reported unless SILI is one; then only a longer
/// block is, and only while a block length is set in the mode parameters. [SSC-5 7.5 SILI]
fn variable(done: MediumDone, length: u32, sili: bool, check_overlength: bool) -> (Bytes, Option<CheckCondition>) {
    let actual = match done.stop {
        Some(Stop::IncorrectLength { actual }) => actual,
        Some(stop) => return (Bytes::new(), Some(boundary(stop).with_residue(u64::from(length)))),
        None => u32::try_from(done.data.len()).unwrap_or(u32::MAX),
    };
    let difference = i64::from(length).saturating_sub(i64::from(actual));
    let reported = if sili { difference < 0 && check_overlength } else { difference != 0 };
    let mut data = done.data;
    data.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    let ended = reported.then(|| {
        let information = i32::try_from(difference).unwrap_or(i32::MIN);
        no_sense(Asc::NO_ADDITIONAL_SENSE_INFORMATION).with_incorrect_length().with_information(information)
    });
    (data, ended)
}

/// Whole blocks of the set length; a block of another length ends the command, is passed over and is not transferred.
fn fixed(done: MediumDone, transfer: Transfer, block_length: u32) -> (Bytes, Option<CheckCondition>) {
    let whole = done.count.saturating_mul(u64::from(block_length));
    let mut data = done.data;
    data.truncate(usize::try_from(whole).unwrap_or(usize::MAX));
    let residue = transfer.residue(done.count);
    let ended = match done.stop {
        None if residue == 0 => None,
        None => Some(boundary(Stop::EndOfPartition).with_residue(residue)),
        Some(Stop::IncorrectLength { .. }) => {
            let ended = no_sense(Asc::NO_ADDITIONAL_SENSE_INFORMATION).with_incorrect_length();
            Some(ended.with_residue(residue))
        }
        Some(stop) => Some(boundary(stop).with_residue(residue)),
    };
    (data, ended)
}

fn no_sense(asc: Asc) -> CheckCondition {
    CheckCondition::new(SenseKey::NoSense, asc)
}

/// Sense data of a boundary met while reading or spacing; the residue is the caller's.
pub(super) fn boundary(stop: Stop) -> CheckCondition {
    match stop {
        Stop::Filemark => no_sense(Asc::FILEMARK_DETECTED).with_filemark(),
        Stop::EndOfData => CheckCondition::new(SenseKey::BlankCheck, Asc::END_OF_DATA_DETECTED),
        Stop::BeginningOfPartition => no_sense(Asc::BEGINNING_OF_PARTITION_MEDIUM_DETECTED).with_end_of_medium(),
        Stop::EndOfPartition => {
            CheckCondition::new(SenseKey::MediumError, Asc::END_OF_PARTITION_MEDIUM_DETECTED).with_end_of_medium()
        }
        Stop::IncorrectLength { .. } => no_sense(Asc::NO_ADDITIONAL_SENSE_INFORMATION).with_incorrect_length(),
    }
}
