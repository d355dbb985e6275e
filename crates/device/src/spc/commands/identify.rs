//! INQUIRY and REPORT LUNS.

use bytes::Bytes;
use capstan_scsi::sam::{Cdb, Lun};
use capstan_scsi::spc::inquiry::StandardInquiry;
use capstan_scsi::spc::report_luns as luns;
use capstan_scsi::spc::vpd::{self, Association, Designator, VpdPageCode};
use capstan_scsi::{CheckCondition, Opcode};

use crate::server::Command;
use crate::spc::{CommandSpec, Identity, Reply, SpcDevice, UnderReservation, data_in};

/// INQUIRY. [SPC-5 6.7]
#[must_use]
pub const fn inquiry<S: SpcDevice>() -> CommandSpec<S> {
    CommandSpec::new(Opcode::INQUIRY, "INQUIRY", &[0x12, 0x01, 0xff, 0xff, 0xff, 0x00], run_inquiry)
        .check(check_inquiry)
        .despite_unit_attention()
        .under_reservation(UnderReservation::Allowed)
}

const SHARED_PAGES: [VpdPageCode; 3] =
    [VpdPageCode::SUPPORTED_VPD_PAGES, VpdPageCode::UNIT_SERIAL_NUMBER, VpdPageCode::DEVICE_IDENTIFICATION];

fn check_inquiry<S: SpcDevice>(_: &S, command: &Command) -> Result<u32, CheckCondition> {
    let evpd = command.cdb.bit(1, 0);
    let page = VpdPageCode(command.cdb.byte(2));
    let supported = if evpd { SHARED_PAGES.contains(&page) || S::vpd_pages().contains(&page) } else { page.0 == 0 };
    if supported { Ok(0) } else { Err(CheckCondition::invalid_field_in_cdb(2, None)) }
}

fn run_inquiry<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let inquiry = server.inquiry();
    let allocation_length = u32::from(command.cdb.u16(3));
    if !command.cdb.bit(1, 0) {
        return Ok(data_in(inquiry.encode(), allocation_length));
    }
    let page = VpdPageCode(command.cdb.byte(2));
    let payload = match page {
        VpdPageCode::SUPPORTED_VPD_PAGES => {
            let pages: Vec<VpdPageCode> = SHARED_PAGES.iter().chain(S::vpd_pages()).copied().collect();
            Some(vpd::supported_pages(&pages))
        }
        VpdPageCode::UNIT_SERIAL_NUMBER => Some(server.spc().identity.serial.as_bytes().to_vec()),
        VpdPageCode::DEVICE_IDENTIFICATION => {
            Some(vpd::device_identification(&designators(&inquiry, &server.spc().identity)))
        }
        _ => server.vpd_payload(page),
    };
    let payload = payload.ok_or(CheckCondition::invalid_field_in_cdb(2, None))?;
    Ok(data_in(vpd::page(inquiry.device_type, page, &payload), allocation_length))
}

/// The logical unit by NAA and T10 vendor ID, then its port and target. The portal has one target portal group.
fn designators(inquiry: &StandardInquiry, identity: &Identity) -> Vec<Designator> {
    let serial = identity.serial.clone();
    let mut designators = vec![
        Designator::Naa(identity.naa),
        Designator::T10VendorId { vendor: inquiry.vendor, product: inquiry.product, serial },
    ];
    if let Some(target) = &identity.target {
        designators.push(Designator::RelativeTargetPort(1));
        designators.push(Designator::ScsiName(Association::TargetPort, format!("{target},t,0x0001")));
        designators.push(Designator::ScsiName(Association::TargetDevice, target.clone()));
    }
    designators
}

/// REPORT LUNS. [SPC-5 6.33]
#[must_use]
pub const fn report_luns<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0xa0, 0x00, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00];
    CommandSpec::new(Opcode::REPORT_LUNS, "REPORT LUNS", USAGE, run_report_luns)
        .check(|server: &S, command| report_luns_selection(&command.cdb, &server.spc().luns).map(|_| 0))
        .despite_unit_attention()
        .under_reservation(UnderReservation::Allowed)
}

/// The logical units that SELECT REPORT asks for: there are no well-known ones.
pub(in crate::spc) fn report_luns_selection<'a>(cdb: &Cdb, luns: &'a [Lun]) -> Result<&'a [Lun], CheckCondition> {
    match cdb.byte(2) {
        0x00 | 0x02 => Ok(luns),
        0x01 => Ok(&[]),
        _ => Err(CheckCondition::invalid_field_in_cdb(2, None)),
    }
}

fn run_report_luns<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let selected = report_luns_selection(&command.cdb, &server.spc().luns)?;
    Ok(data_in(luns::encode(selected), command.cdb.u32(6)))
}
