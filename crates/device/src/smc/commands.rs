//! The changer's command table, in ascending order of operation code.

use super::{MediaChanger, initialize, read_element_status, robot, search};
use crate::spc::commands as shared;
use crate::spc::{CommandSpec, Requirement};

/// Every command.
pub(super) const COMMANDS: &[CommandSpec<MediaChanger>] = &[
    shared::test_unit_ready(Requirement::NOTHING),
    shared::request_sense(),
    initialize::initialize_element_status(),
    shared::inquiry(),
    shared::mode_select_6(),
    shared::reserve_6(),
    shared::release_6(),
    shared::mode_sense_6(),
    shared::send_diagnostic(),
    shared::prevent_allow_medium_removal(),
    robot::position_to_element(),
    initialize::with_range(),
    shared::log_select(),
    shared::log_sense(),
    shared::mode_select_10(),
    shared::reserve_10(),
    shared::release_10(),
    shared::mode_sense_10(),
    shared::report_luns(),
    shared::report_supported_operation_codes(),
    robot::move_medium(),
    robot::exchange_medium(),
    search::request_volume_element_address(),
    search::send_volume_tag(),
    read_element_status::read_element_status(),
    initialize::vendor_with_range(),
];
