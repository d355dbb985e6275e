//! What the initiator is told when the medium fails: one row for each [`MediumFailureKind`].

use capstan_media::{MediumFailure, MediumFailureKind};
use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, SenseKey};

use super::TapeAlertFlag;

struct Row {
    key: SenseKey,
    asc: Asc,
    alerts: &'static [TapeAlertFlag],
}

const READ_ALERTS: &[TapeAlertFlag] = &[TapeAlertFlag::HARD_ERROR, TapeAlertFlag::READ_FAILURE];
const WRITE_ALERTS: &[TapeAlertFlag] = &[TapeAlertFlag::HARD_ERROR, TapeAlertFlag::WRITE_FAILURE];

const fn row(kind: MediumFailureKind) -> Row {
    let (key, asc, alerts): (_, _, &[TapeAlertFlag]) = match kind {
        MediumFailureKind::Corrupt => (SenseKey::MediumError, Asc::UNRECOVERED_READ_ERROR, READ_ALERTS),
        MediumFailureKind::ReadFault => (SenseKey::MediumError, Asc::READ_RETRIES_EXHAUSTED, READ_ALERTS),
        MediumFailureKind::WriteFault | MediumFailureKind::SyncFault => {
            (SenseKey::MediumError, Asc::WRITE_ERROR, WRITE_ALERTS)
        }
        MediumFailureKind::Poisoned => (SenseKey::MediumError, Asc::WRITE_APPEND_ERROR, WRITE_ALERTS),
        MediumFailureKind::NoSpace => {
            (SenseKey::NotReady, Asc::LOGICAL_UNIT_NOT_READY_OPERATION_IN_PROGRESS, &[TapeAlertFlag::WRITE_WARNING])
        }
        MediumFailureKind::WriteProtected => (SenseKey::DataProtect, Asc::WRITE_PROTECTED, &[]),
        MediumFailureKind::NoSuchPartition => (SenseKey::IllegalRequest, Asc::INVALID_FIELD_IN_CDB, &[]),
    };
    Row { key, asc, alerts }
}

/// Sense key and code of a failure.
#[must_use]
pub fn sense_of(kind: MediumFailureKind) -> (SenseKey, Asc) {
    let Row { key, asc, .. } = row(kind);
    (key, asc)
}

/// TapeAlert flags that a failure raises.
pub(super) fn alerts_of(kind: MediumFailureKind) -> &'static [TapeAlertFlag] {
    row(kind).alerts
}

/// The sense data of a failure; `residue` is what was asked for and not transferred, for commands that report it.
pub(super) fn check_condition(failure: &MediumFailure, residue: Option<u64>) -> CheckCondition {
    let Row { key, asc, .. } = row(failure.kind);
    let refused = CheckCondition::new(key, asc);
    match residue {
        Some(residue) if key == SenseKey::MediumError => refused.with_residue(residue),
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use capstan_media::Position;

    #[test]
    fn every_kind_has_its_sense_data() {
        let rows = [
            (MediumFailureKind::Corrupt, 0x3, 0x11, 0x00, true, vec![3, 5]),
            (MediumFailureKind::ReadFault, 0x3, 0x11, 0x01, true, vec![3, 5]),
            (MediumFailureKind::WriteFault, 0x3, 0x0c, 0x00, true, vec![3, 6]),
            (MediumFailureKind::SyncFault, 0x3, 0x0c, 0x00, true, vec![3, 6]),
            (MediumFailureKind::Poisoned, 0x3, 0x50, 0x00, true, vec![3, 6]),
            (MediumFailureKind::NoSpace, 0x2, 0x04, 0x07, false, vec![2]),
            (MediumFailureKind::WriteProtected, 0x7, 0x27, 0x00, false, vec![]),
            (MediumFailureKind::NoSuchPartition, 0x5, 0x24, 0x00, false, vec![]),
        ];
        for (kind, key, asc, ascq, valid, alerts) in rows {
            let (data, message) = (Bytes::new(), String::new());
            let failure = MediumFailure { kind, position: Position::default(), count: 0, data, message };
            let sense = check_condition(&failure, Some(7)).to_fixed();
            assert_eq!((sense[2], sense[12], sense[13]), (key, asc, ascq), "{kind:?}");
            assert_eq!((sense[0] == 0xf0, sense[6] == 7), (valid, valid), "{kind:?}");
            assert_eq!(alerts_of(kind).iter().map(|flag| flag.0).collect::<Vec<_>>(), alerts, "{kind:?}");
        }
    }
}
