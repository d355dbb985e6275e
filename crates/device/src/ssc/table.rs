//! The commands of the drive. [SSC-5 table of commands]

use capstan_scsi::Opcode;

use super::bay::{MEDIUM, POSITION, WRITABLE};
use super::{TapeDrive, erase, limits, load_unload, locate, position, read, rewind, space, write, write_filemarks};
use crate::spc::{CommandSpec, UnderReservation, commands};

/// Recommended timeouts in seconds. A cartridge may have to be fetched from a slow tier.
const MOTION: u32 = 3_600;
const TRANSFER: u32 = 1_500;
const ERASE: u32 = 28_800;

const fn spec(
    opcode: Opcode,
    name: &'static str,
    usage: &'static [u8],
    execute: fn(&mut TapeDrive, &crate::Command, bytes::Bytes) -> crate::spc::Reply<TapeDrive>,
) -> CommandSpec<TapeDrive> {
    CommandSpec::new(opcode, name, usage, execute)
}

const fn read_position(service_action: u16, name: &'static str) -> CommandSpec<TapeDrive> {
    const USAGE: &[u8] = &[0x34, 0x1f, 0, 0, 0, 0, 0, 0xff, 0xff, 0];
    spec(Opcode::READ_POSITION, name, USAGE, position::execute).service_action(service_action).requires(MEDIUM)
}

const READ_USAGE: &[u8] = &[0x08, 0x03, 0xff, 0xff, 0xff, 0];
const WRITE_USAGE: &[u8] = &[0x0a, 0x01, 0xff, 0xff, 0xff, 0];
const FILEMARKS_USAGE: &[u8] = &[0x10, 0x01, 0xff, 0xff, 0xff, 0];
const SPACE_6_USAGE: &[u8] = &[0x11, 0x0f, 0xff, 0xff, 0xff, 0];
const SPACE_16_USAGE: &[u8] = &[0x91, 0x0f, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
const LOCATE_10_USAGE: &[u8] = &[0x2b, 0x07, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0];
const LOCATE_16_USAGE: &[u8] = &[0x92, 0x3b, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
const LOAD_USAGE: &[u8] = &[0x1b, 0x01, 0, 0, 0x0f, 0];
const DENSITY_USAGE: &[u8] = &[0x44, 0x01, 0, 0, 0, 0, 0, 0xff, 0xff, 0];

/// Every command, in ascending order of operation code and service action.
pub(super) static COMMANDS: [CommandSpec<TapeDrive>; 33] = [
    commands::test_unit_ready(MEDIUM),
    spec(Opcode::REWIND, "REWIND", &[0x01, 0x01, 0, 0, 0, 0], rewind::execute)
        .requires(MEDIUM)
        .timeout(MOTION)
        .resume(rewind::resume),
    commands::request_sense(),
    spec(Opcode::READ_BLOCK_LIMITS, "READ BLOCK LIMITS", &[0x05, 0, 0, 0, 0, 0], limits::block_limits)
        .under_reservation(UnderReservation::Allowed),
    spec(Opcode::READ_6, "READ(6)", READ_USAGE, read::execute)
        .check(read::check)
        .requires(POSITION)
        .timeout(TRANSFER)
        .resume(read::resume),
    spec(Opcode::WRITE_6, "WRITE(6)", WRITE_USAGE, write::execute)
        .check(write::check)
        .admission(write::ADMISSION)
        .requires(WRITABLE)
        .timeout(TRANSFER)
        .resume(write::resume),
    spec(Opcode::WRITE_FILEMARKS_6, "WRITE FILEMARKS(6)", FILEMARKS_USAGE, write_filemarks::execute)
        .requires(POSITION)
        .timeout(TRANSFER)
        .resume(write_filemarks::resume),
    spec(Opcode::SPACE_6, "SPACE(6)", SPACE_6_USAGE, space::execute)
        .check(space::check)
        .requires(MEDIUM)
        .timeout(MOTION)
        .resume(space::resume),
    commands::inquiry(),
    commands::mode_select_6(),
    commands::reserve_6(),
    commands::release_6(),
    spec(Opcode::ERASE_6, "ERASE(6)", &[0x19, 0x03, 0, 0, 0, 0], erase::execute)
        .requires(WRITABLE)
        .timeout(ERASE)
        .resume(erase::resume),
    commands::mode_sense_6(),
    spec(Opcode::LOAD_UNLOAD, "LOAD UNLOAD", LOAD_USAGE, load_unload::execute)
        .check(load_unload::check)
        .timeout(MOTION)
        .resume(load_unload::resume),
    commands::send_diagnostic(),
    commands::prevent_allow_medium_removal(),
    spec(Opcode::LOCATE_10, "LOCATE(10)", LOCATE_10_USAGE, locate::execute)
        .check(locate::check)
        .requires(MEDIUM)
        .timeout(MOTION)
        .resume(locate::resume),
    read_position(0x00, "READ POSITION short form"),
    read_position(0x01, "READ POSITION short form, vendor-specific addresses"),
    read_position(0x06, "READ POSITION long form"),
    read_position(0x08, "READ POSITION extended form"),
    spec(Opcode::REPORT_DENSITY_SUPPORT, "REPORT DENSITY SUPPORT", DENSITY_USAGE, limits::density_support)
        .under_reservation(UnderReservation::Allowed),
    commands::log_select(),
    commands::log_sense(),
    commands::mode_select_10(),
    commands::reserve_10(),
    commands::release_10(),
    commands::mode_sense_10(),
    spec(Opcode::SPACE_16, "SPACE(16)", SPACE_16_USAGE, space::execute)
        .check(space::check)
        .requires(MEDIUM)
        .timeout(MOTION)
        .resume(space::resume),
    spec(Opcode::LOCATE_16, "LOCATE(16)", LOCATE_16_USAGE, locate::execute)
        .check(locate::check)
        .requires(MEDIUM)
        .timeout(MOTION)
        .resume(locate::resume),
    commands::report_luns(),
    commands::report_supported_operation_codes(),
];
