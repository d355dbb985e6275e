//! The answers of a logical unit number behind which there is no logical unit. [SPC-5 6.7, SAM-5 5.13]

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{Cdb, Completion, Lun};
use capstan_scsi::spc::{inquiry, report_luns};
use capstan_scsi::{CheckCondition, Opcode, SenseKey};

/// The answer to a command sent to a LUN that does not exist, in a target whose logical units are `luns`: INQUIRY
/// says so, REPORT LUNS lists `luns`, REQUEST SENSE returns LOGICAL UNIT NOT SUPPORTED as data and every other
/// command ends with it.
#[must_use]
pub fn unknown_logical_unit(cdb: &Cdb, luns: &[Lun]) -> Completion {
    let not_supported = CheckCondition::new(SenseKey::IllegalRequest, Asc::LOGICAL_UNIT_NOT_SUPPORTED);
    let answer = match Opcode(cdb.opcode()) {
        Opcode::INQUIRY if cdb.bit(1, 0) => Err(CheckCondition::invalid_field_in_cdb(1, Some(0))),
        Opcode::INQUIRY if cdb.byte(2) != 0 => Err(CheckCondition::invalid_field_in_cdb(2, None)),
        Opcode::INQUIRY => Ok((inquiry::not_capable(), u32::from(cdb.u16(3)))),
        Opcode::REPORT_LUNS => super::commands::report_luns_selection(cdb, luns)
            .map(|selected| (report_luns::encode(selected), cdb.u32(6))),
        Opcode::REQUEST_SENSE => Ok((not_supported.to_fixed().to_vec(), u32::from(cdb.byte(4)))),
        _ => Err(not_supported),
    };
    match answer {
        Ok((mut data, allocation_length)) => {
            data.truncate(usize::try_from(allocation_length).unwrap_or(usize::MAX));
            Completion::good_with(Bytes::from(data))
        }
        Err(refused) => refused.into_completion(Bytes::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_scsi::sam::Status;

    fn ask(bytes: &[u8]) -> Completion {
        let mut cdb = Cdb::default();
        cdb.0[..bytes.len()].copy_from_slice(bytes);
        unknown_logical_unit(&cdb, &[Lun::ZERO])
    }

    #[test]
    fn says_that_nothing_is_there() {
        assert_eq!(&ask(&[0x12, 0, 0, 0, 255, 0]).data_in[..5], &[0x7f, 0, 6, 2, 31]);
        assert_eq!(ask(&[0x12, 0, 0, 0, 5, 0]).data_in.len(), 5);
        assert_eq!(ask(&[0x12, 1, 0, 0, 255, 0]).sense[12..14], [0x24, 0]);
        let luns = ask(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(luns.data_in[..], [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let sense = ask(&[3, 0, 0, 0, 18, 0]);
        assert_eq!((sense.status, sense.data_in[2], sense.data_in[12], sense.data_in[13]), (Status::GOOD, 5, 0x25, 0));
        for opcode in [0x00, 0x08, 0xa5, 0xff] {
            let refused = ask(&[opcode]);
            assert_eq!((refused.status, refused.sense[2], refused.sense[12]), (Status::CHECK_CONDITION, 5, 0x25));
        }
    }
}
