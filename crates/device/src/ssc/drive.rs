//! The drive itself: what it is told by the library and by its task set.

use bytes::Bytes;
use capstan_media::{MediumDone, MediumFailure};
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{Completion, InitiatorPort, Lun, NexusId};
use capstan_scsi::spc::inquiry::StandardInquiry;
use capstan_scsi::spc::log::{LogPageCode, LogParameter};
use capstan_scsi::spc::mode::{BLOCK_DESCRIPTOR_LENGTH, ModeHeader, ModePages, ModeParameterList};
use capstan_scsi::spc::vpd::VpdPageCode;
use capstan_scsi::{CheckCondition, SenseKey};

use super::bay::Bay;
use super::mode::DriveMode;
use super::{
    DriveOp, DriveResult, DriveStatistics, Medium, TapeAlertFlag, TapeAlerts, log, medium_failure, table, vpd,
};
use crate::personality::{DrivePersonality, IBM_ULT3580_TD8};
use crate::server::{Begin, Command, DeviceServer, Instant, Outcome};
use crate::spc::{self, CommandSpec, ModeChange, SpcDevice, SpcState};

/// Who a drive is: serial number, NAA identifier, and the name of its target.
pub type DriveIdentity = spc::Identity;

/// A tape drive.
#[derive(Debug)]
pub struct TapeDrive {
    pub(super) personality: &'static DrivePersonality,
    pub(super) spc: SpcState,
    pub(super) bay: Bay,
    pub(super) position_lost: bool,
    pub(super) mode: DriveMode,
    pub(super) statistics: DriveStatistics,
    pub(super) alerts: TapeAlerts,
    /// How a WRITE in unbuffered mode ends once its data is on stable storage.
    pub(super) after_synchronise: Option<Result<(), CheckCondition>>,
}

impl TapeDrive {
    /// An empty IBM ULT3580-TD8.
    #[must_use]
    pub fn new(identity: DriveIdentity) -> Self {
        Self::with_personality(&IBM_ULT3580_TD8, identity)
    }

    /// An empty drive of another model.
    #[must_use]
    pub fn with_personality(personality: &'static DrivePersonality, identity: DriveIdentity) -> Self {
        Self {
            personality,
            spc: SpcState::new(identity),
            bay: Bay::Empty { seated: false },
            position_lost: false,
            mode: DriveMode::default(),
            statistics: DriveStatistics::default(),
            alerts: TapeAlerts::default(),
            after_synchronise: None,
        }
    }

    /// The logical units of the drive's target, for REPORT LUNS; LUN 0 alone unless told otherwise.
    pub fn set_luns(&mut self, luns: Vec<Lun>) {
        self.spc.luns = luns;
    }

    /// The robot put a cartridge into the drive, which threaded it; or the daemon started with it in place, and then
    /// `position_lost` says that the host may believe in a position that is no longer known.
    ///
    /// Every nexus gets a unit attention, NOT READY TO READY CHANGE: without it Linux's `st` keeps the block and file
    /// numbers of the cartridge before.
    pub fn cartridge_inserted(&mut self, medium: Medium, position_lost: bool) {
        self.bay = Bay::Threaded(medium);
        self.position_lost = position_lost;
        self.statistics.loads = self.statistics.loads.saturating_add(1);
        self.spc.attentions.establish_for_all(Asc::NOT_READY_TO_READY_CHANGE, None);
    }

    /// The robot took the cartridge out.
    pub fn cartridge_removed(&mut self) {
        self.bay = Bay::Empty { seated: false };
        self.position_lost = false;
    }

    /// Some initiator prevents medium removal: the robot must leave the cartridge where it is.
    #[must_use]
    pub fn removal_prevented(&self) -> bool {
        self.spc.removal.is_prevented()
    }

    /// The threaded cartridge was write-protected, or is so no longer.
    ///
    /// No unit attention tells of it: `st` would take one for a new cartridge and reset its position. It reads the
    /// WP bit whenever the device is opened.
    pub fn protection_changed(&mut self, protected: bool) {
        if let Some(medium) = self.threaded_mut() {
            medium.protected = protected;
        }
    }

    /// Host bytes on the threaded cartridge, and how many fit: what the log pages on capacity report from now on.
    /// Between two calls the drive estimates from what it writes.
    pub fn usage_changed(&mut self, used: u64, capacity: u64) {
        if let Some(medium) = self.threaded_mut() {
            medium.used = used;
            medium.capacity = capacity;
        }
    }

    /// The threaded cartridge, with its position as of the last operation.
    #[must_use]
    pub fn medium(&self) -> Option<&Medium> {
        self.threaded().ok()
    }

    /// The position is unknown since a restart, until the host positions absolutely.
    #[must_use]
    pub fn position_lost(&self) -> bool {
        self.position_lost
    }

    /// Counters since the drive was made.
    #[must_use]
    pub fn statistics(&self) -> DriveStatistics {
        self.statistics
    }

    /// Raises a TapeAlert flag for every nexus.
    pub fn raise_alert(&mut self, flag: TapeAlertFlag) {
        self.alerts.raise(flag);
    }

    /// TapeAlert flags raised since the drive was made, whether hosts have read them or not.
    #[must_use]
    pub fn alerts(&self) -> &TapeAlerts {
        &self.alerts
    }

    /// Who holds the reservation.
    #[must_use]
    pub fn reservation_holder(&self) -> Option<NexusId> {
        self.spc.reservation.holder()
    }

    /// Takes over the position that a medium operation left, and raises the alerts of a failure.
    pub(super) fn settle(&mut self, result: DriveResult) -> Result<Result<MediumDone, MediumFailure>, CheckCondition> {
        let DriveResult::Medium(result) = result else { return Err(internal_failure()) };
        let position = result.as_ref().map_or_else(|failure| failure.position, |done| done.position);
        if let Some(medium) = self.threaded_mut() {
            medium.position = position;
        }
        if let Err(failure) = &result {
            self.alerts.raise_all(medium_failure::alerts_of(failure.kind));
            self.statistics.count_failure(failure.kind);
        }
        Ok(result)
    }
}

/// The library answered something that was not asked.
pub(super) fn internal_failure() -> CheckCondition {
    CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE)
}

impl DeviceServer for TapeDrive {
    type Op = DriveOp;
    type OpResult = DriveResult;

    fn begin(&mut self, _: Instant, command: &Command) -> Result<Begin<DriveOp>, Box<Completion>> {
        spc::begin(self, command)
    }

    fn admitted(&mut self, _: Instant, command: &Command, answer: DriveResult) -> Result<(), Box<Completion>> {
        spc::admitted(self, command, &answer)
    }

    fn execute(&mut self, _: Instant, command: &Command, data: Bytes) -> Outcome<DriveOp> {
        spc::execute(self, command, data)
    }

    fn resume(&mut self, _: Instant, command: &Command, result: DriveResult) -> Outcome<DriveOp> {
        spc::resume(self, command, result)
    }

    fn nexus_established(&mut self, nexus: NexusId, _: &InitiatorPort) {
        self.spc.nexus_established(nexus);
        self.alerts.retain(self.spc.attentions.known());
        self.alerts.nexus_established(nexus);
    }

    fn nexus_lost(&mut self, nexus: NexusId) {
        self.spc.nexus_lost(nexus);
    }

    fn reset(&mut self, _: Instant) {
        self.spc.reset();
        self.mode = DriveMode::default();
        self.after_synchronise = None;
    }
}

impl SpcDevice for TapeDrive {
    fn commands() -> &'static [CommandSpec<Self>] {
        &table::COMMANDS
    }

    fn spc(&self) -> &SpcState {
        &self.spc
    }

    fn spc_mut(&mut self) -> &mut SpcState {
        &mut self.spc
    }

    fn inquiry(&self) -> StandardInquiry {
        vpd::inquiry(self.personality)
    }

    fn vpd_pages() -> &'static [VpdPageCode] {
        &vpd::PAGES
    }

    fn vpd_payload(&self, page: VpdPageCode) -> Option<Vec<u8>> {
        vpd::payload(&self.spc.identity, page)
    }

    fn mode_header(&self) -> ModeHeader {
        self.header()
    }

    fn block_descriptor(&self) -> Option<[u8; BLOCK_DESCRIPTOR_LENGTH]> {
        Some(self.descriptor())
    }

    fn mode_pages(&self) -> ModePages {
        self.pages()
    }

    fn mode_select(&mut self, list: &ModeParameterList) -> Result<ModeChange, CheckCondition> {
        self.select(list)
    }

    fn log_pages() -> &'static [(LogPageCode, u8)] {
        &log::PAGES
    }

    fn log_parameters(&self, nexus: NexusId, page: LogPageCode, _: u8) -> Option<Vec<LogParameter>> {
        self.parameters(nexus, page)
    }

    fn log_page_read(&mut self, nexus: NexusId, page: LogPageCode) {
        if page == LogPageCode::TAPE_ALERT {
            self.alerts.clear(nexus);
        }
    }

    fn log_reset(&mut self, page: Option<LogPageCode>) {
        if page.is_none_or(|page| page == LogPageCode::SEQUENTIAL_ACCESS_DEVICE) {
            self.statistics.start_log();
        }
    }
}
