//! The device server: state, events from the library, and what the shared commands ask of it.

use bytes::Bytes;
use capstan_media::Layout;
use capstan_scsi::sam::{Completion, InitiatorPort, NexusId};
use capstan_scsi::spc::inquiry::StandardInquiry;
use capstan_scsi::spc::log::{self, LogPageCode, LogParameter};
use capstan_scsi::spc::mode::{ModePages, ModeParameterList};
use capstan_scsi::{Asc, CheckCondition};

use super::identity::{self, ChangerIdentity, DriveIdentity};
use super::op::{ChangerOp, ChangerResult};
use super::search::Searches;
use super::{commands, pages};
use crate::server::{Begin, Command, DeviceServer, Instant, Outcome};
use crate::spc::{self, CommandSpec, ModeChange, SpcDevice, SpcState, UnitAttentions};

/// A media changer in front of a library with one robot.
pub struct MediaChanger {
    pub(super) layout: Layout,
    pub(super) drives: Vec<DriveIdentity>,
    pub(super) searches: Searches,
    mode_pages: ModePages,
    spc: SpcState,
}

impl MediaChanger {
    /// A changer for the library that `layout` describes; `drives` in the order of their addresses.
    #[must_use]
    pub fn new(identity: ChangerIdentity, layout: Layout, drives: Vec<DriveIdentity>) -> Self {
        let spc = SpcState { attentions: UnitAttentions::one_at_a_time(), ..SpcState::new(identity) };
        Self { layout, drives, searches: Searches::default(), mode_pages: pages::mode_pages(&layout), spc }
    }

    /// An operator put a cartridge into an import/export element, or took one out: every nexus is told.
    /// [SMC-3 IMPORT OR EXPORT ELEMENT ACCESSED]
    pub fn import_export_accessed(&mut self) {
        self.tell_all(Asc::IMPORT_OR_EXPORT_ELEMENT_ACCESSED);
    }

    /// Cartridges came, went or changed places without a command (made, retired, moved by an operator): every nexus
    /// is told that what it knows of the inventory may be wrong. [SMC-3 unit attention conditions]
    pub fn inventory_changed(&mut self) {
        self.tell_all(Asc::NOT_READY_TO_READY_CHANGE);
    }

    /// A host prevents medium removal: operators may not take cartridges out of the import/export elements.
    /// [SMC-3 PREVENT ALLOW MEDIUM REMOVAL]
    #[must_use]
    pub fn removal_prevented(&self) -> bool {
        self.spc.removal.is_prevented()
    }

    fn tell_all(&mut self, asc: Asc) {
        self.spc.attentions.establish_for_all(asc, None);
    }
}

impl DeviceServer for MediaChanger {
    type Op = ChangerOp;
    type OpResult = ChangerResult;

    fn begin(&mut self, _now: Instant, command: &Command) -> Result<Begin<ChangerOp>, Box<Completion>> {
        spc::begin(self, command)
    }

    fn admitted(&mut self, _now: Instant, command: &Command, answer: ChangerResult) -> Result<(), Box<Completion>> {
        spc::admitted(self, command, &answer)
    }

    fn execute(&mut self, _now: Instant, command: &Command, data: Bytes) -> Outcome<ChangerOp> {
        spc::execute(self, command, data)
    }

    fn resume(&mut self, _now: Instant, command: &Command, result: ChangerResult) -> Outcome<ChangerOp> {
        spc::resume(self, command, result)
    }

    fn nexus_established(&mut self, nexus: NexusId, _initiator: &InitiatorPort) {
        self.spc.nexus_established(nexus);
    }

    fn nexus_lost(&mut self, nexus: NexusId) {
        self.searches.forget(nexus);
        self.spc.nexus_lost(nexus);
    }

    fn reset(&mut self, _now: Instant) {
        self.searches.clear();
        self.spc.reset();
    }
}

/// TapeAlert flags of a changer, all clear: this robot does not wear out. [SMC-3 TapeAlert]
const TAPE_ALERT_FLAGS: u16 = 64;

impl SpcDevice for MediaChanger {
    fn commands() -> &'static [CommandSpec<Self>] {
        commands::COMMANDS
    }

    fn spc(&self) -> &SpcState {
        &self.spc
    }

    fn spc_mut(&mut self) -> &mut SpcState {
        &mut self.spc
    }

    fn inquiry(&self) -> StandardInquiry {
        identity::STK_L700
    }

    fn mode_pages(&self) -> ModePages {
        self.mode_pages.clone()
    }

    /// Nothing can be changed, but what is may be selected again.
    fn mode_select(&mut self, list: &ModeParameterList) -> Result<ModeChange, CheckCondition> {
        if list.block_descriptor.is_some() {
            return Err(CheckCondition::invalid_field_in_parameter_list(list.block_descriptor_at, None));
        }
        self.mode_pages.select(&list.pages)?;
        Ok(ModeChange::Nothing)
    }

    fn log_pages() -> &'static [(LogPageCode, u8)] {
        &[
            (LogPageCode::SUPPORTED_LOG_PAGES, 0),
            (LogPageCode::SUPPORTED_LOG_PAGES, log::ALL_SUBPAGES),
            (LogPageCode::TAPE_ALERT, 0),
        ]
    }

    fn log_parameters(&self, _nexus: NexusId, page: LogPageCode, _subpage: u8) -> Option<Vec<LogParameter>> {
        let flags = (1..=TAPE_ALERT_FLAGS).map(|flag| LogParameter::list(flag, [0]));
        (page == LogPageCode::TAPE_ALERT).then(|| flags.collect())
    }
}
