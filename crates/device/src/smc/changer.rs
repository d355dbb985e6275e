//! The device server: what all devices do, then what only changers do.

use bytes::Bytes;
use capstan_media::Layout;
use capstan_scsi::sam::{InitiatorPort, NexusId};
use capstan_scsi::{Asc, CheckCondition, SenseKey};

use super::command::Context;
use super::identity::{ChangerIdentity, DriveIdentity};
use super::op::{ChangerOp, ChangerResult};
use super::search::Searches;
use crate::server::{Command, DeviceServer, Instant, Outcome};

/// A media changer in front of a library of one robot.
pub struct MediaChanger {
    layout: Layout,
    drives: Vec<DriveIdentity>,
    searches: Searches,
}

impl MediaChanger {
    /// A changer for the library that `layout` describes; `drives` in the order of their addresses.
    #[must_use]
    pub fn new(_identity: ChangerIdentity, layout: Layout, drives: Vec<DriveIdentity>) -> Self {
        Self { layout, drives, searches: Searches::default() }
    }

    /// An operator put a cartridge into an import/export element, or took one out: every nexus is told.
    /// [SMC-3 unit attention IMPORT OR EXPORT ELEMENT ACCESSED]
    pub fn import_export_accessed(&mut self) {}

    /// The inventory changed without a command: a cartridge was made, retired or moved by an operator. Every nexus
    /// is told.
    pub fn inventory_changed(&mut self) {}

    /// A host prevents medium removal: operators may not take cartridges out. [SMC-3 PREVENT ALLOW MEDIUM REMOVAL]
    #[must_use]
    pub fn removal_prevented(&self) -> bool {
        false
    }
}

impl DeviceServer for MediaChanger {
    type Op = ChangerOp;
    type OpResult = ChangerResult;

    fn begin(&mut self, _now: Instant, command: &Command) -> Result<u32, Box<capstan_scsi::sam::Completion>> {
        let context = self.context();
        let parsed = context.parse(command.nexus, &command.cdb).and_then(|parsed| {
            parsed.ok_or(CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE))
        });
        let needed = parsed.and_then(|parsed| parsed.needed());
        needed.map_err(|check| Box::new(check.into_completion(Bytes::new())))
    }

    fn execute(&mut self, _now: Instant, command: &Command, data: Bytes) -> Outcome<ChangerOp> {
        let mut context = self.context();
        let outcome = match context.parse(command.nexus, &command.cdb) {
            Ok(Some(parsed)) => context.execute(command.nexus, parsed, &data),
            Ok(None) => Err(CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE)),
            Err(check) => Err(check),
        };
        outcome.unwrap_or_else(|check| Outcome::Done(check.into_completion(Bytes::new())))
    }

    fn resume(&mut self, _now: Instant, command: &Command, result: ChangerResult) -> Outcome<ChangerOp> {
        let context = self.context();
        let completion = match context.parse(command.nexus, &command.cdb) {
            Ok(Some(parsed)) => context.resume(parsed, result),
            Ok(None) => Err(CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE)),
            Err(check) => Err(check),
        };
        Outcome::Done(completion.unwrap_or_else(|check| check.into_completion(Bytes::new())))
    }

    fn nexus_established(&mut self, _nexus: NexusId, _initiator: &InitiatorPort) {}

    fn nexus_lost(&mut self, nexus: NexusId) {
        self.searches.forget(nexus);
    }

    fn reset(&mut self, _now: Instant) {
        self.searches.clear();
    }
}

impl MediaChanger {
    fn context(&mut self) -> Context<'_> {
        Context { layout: &self.layout, drives: &self.drives, searches: &mut self.searches }
    }
}
