//! State that every logical unit has.

use capstan_scsi::Asc;
use capstan_scsi::sam::{Lun, NexusId};

use super::{RemovalPrevention, Reservation, UnitAttentions};

/// Who a logical unit is, besides its product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Unit serial number, printable ASCII without blanks, at most 32 characters. [SPC-5 7.7.18]
    pub serial: String,
    /// NAA identifier. [SPC-5 7.7.6.6]
    pub naa: u64,
    /// Name of its target; for iSCSI the iSCSI name. [SPC-5 7.7.6.11]
    pub target: Option<String>,
}

/// State that every logical unit has.
#[derive(Debug)]
pub struct SpcState {
    /// Who it is.
    pub identity: Identity,
    /// The logical units of its target, for REPORT LUNS.
    pub luns: Vec<Lun>,
    /// Unit attentions.
    pub attentions: UnitAttentions,
    /// RESERVE and RELEASE.
    pub reservation: Reservation,
    /// PREVENT ALLOW MEDIUM REMOVAL.
    pub removal: RemovalPrevention,
}

impl SpcState {
    /// Nothing reserved, nobody known; LUN 0 is the only logical unit.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            luns: vec![Lun::ZERO],
            attentions: UnitAttentions::default(),
            reservation: Reservation::default(),
            removal: RemovalPrevention::default(),
        }
    }

    /// A nexus exists from now on.
    pub fn nexus_established(&mut self, nexus: NexusId) {
        self.attentions.nexus_established(nexus);
    }

    /// A nexus is gone: its reservation and its removal prevention are released. It is told when it comes back that
    /// it lost a reservation, and of nothing if it had none. [SAM-5 6.3.4]
    // DEVIATION(spc-002): no unit attention 29h/07h where nothing was lost; it would end a backup that goes on after a
    // short loss of the connection.
    pub fn nexus_lost(&mut self, nexus: NexusId) {
        if self.reservation.release(nexus) {
            self.attentions.establish(nexus, Asc::I_T_NEXUS_LOSS_OCCURRED);
        }
        self.removal.set(nexus, false);
        self.attentions.nexus_lost(nexus);
    }

    /// Logical unit reset. [SAM-5 6.3.3]
    pub fn reset(&mut self) {
        self.reservation.clear();
        self.removal.clear();
        self.attentions.reset(Asc::BUS_DEVICE_RESET_FUNCTION_OCCURRED);
    }
}
