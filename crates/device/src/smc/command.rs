//! The commands that only a media changer has: reading the CDB, running it, going on after the library answered.
//!
//! Nothing is remembered between the stages but the searches: each reads the CDB again.

use capstan_media::{Element, Layout};
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{Cdb, Completion, NexusId};
use capstan_scsi::smc::{
    ElementType, ExchangeMedium, InitializeElementStatus, InitializeElementStatusWithRange, MoveMedium,
    PositionToElement, ReadElementStatus, RequestVolumeElementAddress, SendVolumeTag,
};
use capstan_scsi::{CheckCondition, Opcode, SenseKey};

use super::identity::DriveIdentity;
use super::inventory::{Reporter, Selection, View};
use super::op::{ChangerOp, ChangerResult};
use super::refusal;
use super::robot::{self, Motion};
use super::search::{Search, Searches};
use crate::server::Outcome;

/// A checked command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ChangerCommand {
    /// INITIALIZE ELEMENT STATUS (WITH RANGE) and POSITION TO ELEMENT: labels are always known and the picker is
    /// everywhere at once, so there is nothing to do.
    Nothing,
    /// READ ELEMENT STATUS.
    ReadElementStatus(ReadElementStatus),
    /// MOVE MEDIUM, EXCHANGE MEDIUM.
    Motion(Motion),
    /// SEND VOLUME TAG.
    SendVolumeTag(SendVolumeTag),
    /// REQUEST VOLUME ELEMENT ADDRESS, and what it is about.
    RequestVolumeElementAddress(RequestVolumeElementAddress, Search),
}

impl ChangerCommand {
    /// How many bytes it takes from the initiator.
    ///
    /// # Errors
    /// A parameter list length that cannot be.
    pub(super) fn needed(&self) -> Result<u32, CheckCondition> {
        match self {
            Self::SendVolumeTag(command) => Searches::needed(*command),
            _ => Ok(0),
        }
    }
}

/// What the commands work with.
pub(super) struct Context<'a> {
    pub(super) layout: &'a Layout,
    pub(super) drives: &'a [DriveIdentity],
    pub(super) searches: &'a mut Searches,
}

impl Context<'_> {
    /// Reads and checks a CDB; `None` when it is no command of this file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(&self, nexus: NexusId, cdb: &Cdb) -> Result<Option<ChangerCommand>, CheckCondition> {
        let command = match Opcode(cdb.opcode()) {
            InitializeElementStatus::OPERATION_CODE => ChangerCommand::Nothing,
            InitializeElementStatusWithRange::OPERATION_CODE
            | InitializeElementStatusWithRange::VENDOR_OPERATION_CODE => {
                self.initialize(InitializeElementStatusWithRange::parse(cdb))?
            }
            PositionToElement::OPERATION_CODE => {
                robot::position_to_element(self.layout, PositionToElement::parse(cdb))?;
                ChangerCommand::Nothing
            }
            ReadElementStatus::OPERATION_CODE => {
                let command = ReadElementStatus::parse(cdb)?;
                selection(command).op(self.layout)?;
                ChangerCommand::ReadElementStatus(command)
            }
            MoveMedium::OPERATION_CODE => {
                ChangerCommand::Motion(robot::move_medium(self.layout, MoveMedium::parse(cdb))?)
            }
            ExchangeMedium::OPERATION_CODE => {
                ChangerCommand::Motion(robot::exchange_medium(self.layout, ExchangeMedium::parse(cdb))?)
            }
            SendVolumeTag::OPERATION_CODE => ChangerCommand::SendVolumeTag(SendVolumeTag::parse(cdb)?),
            RequestVolumeElementAddress::OPERATION_CODE => {
                let command = RequestVolumeElementAddress::parse(cdb)?;
                found(command).op(self.layout)?;
                ChangerCommand::RequestVolumeElementAddress(command, self.searches.of(nexus)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(command))
    }

    fn initialize(&self, command: InitializeElementStatusWithRange) -> Result<ChangerCommand, CheckCondition> {
        if command.range {
            let selection =
                Selection { element_type: ElementType::ALL, start: command.starting_element_address, count: 0 };
            selection.op(self.layout)?;
        }
        Ok(ChangerCommand::Nothing)
    }

    /// Runs a command with its parameter list.
    ///
    /// # Errors
    /// Why it failed.
    pub(super) fn execute(
        &mut self,
        nexus: NexusId,
        command: ChangerCommand,
        data: &[u8],
    ) -> Result<Outcome<ChangerOp>, CheckCondition> {
        match command {
            ChangerCommand::Nothing => Ok(Outcome::Done(Completion::good())),
            ChangerCommand::Motion(motion) => Ok(Outcome::Perform(motion.op)),
            ChangerCommand::SendVolumeTag(command) => {
                self.searches.send(nexus, command, data)?;
                Ok(Outcome::Done(Completion::good()))
            }
            ChangerCommand::ReadElementStatus(read) => match selection(read).op(self.layout)? {
                Some(op) => Ok(Outcome::Perform(op)),
                None => Ok(Outcome::Done(self.element_status(read, &[]))),
            },
            ChangerCommand::RequestVolumeElementAddress(request, search) => match found(request).op(self.layout)? {
                Some(op) => Ok(Outcome::Perform(op)),
                None => Ok(Outcome::Done(self.found(request, search, Vec::new()))),
            },
        }
    }

    /// Goes on after the library answered.
    ///
    /// # Errors
    /// Why the command failed.
    pub(super) fn resume(&self, command: ChangerCommand, result: ChangerResult) -> Result<Completion, CheckCondition> {
        match (command, result) {
            (ChangerCommand::ReadElementStatus(read), ChangerResult::Elements(elements)) => {
                Ok(self.element_status(read, &elements))
            }
            (ChangerCommand::RequestVolumeElementAddress(request, search), ChangerResult::Elements(elements)) => {
                Ok(self.found(request, search, elements))
            }
            (ChangerCommand::Motion(_), ChangerResult::Moved) => Ok(Completion::good()),
            (ChangerCommand::Motion(motion), ChangerResult::Refused(refused)) => {
                Err(refusal::sense(&refused, &motion.operands))
            }
            (_, ChangerResult::Refused(refused)) => Err(refusal::sense(&refused, &[])),
            _ => Err(CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE)),
        }
    }

    fn element_status(&self, command: ReadElementStatus, elements: &[Element]) -> Completion {
        let view = View { volume_tags: command.volume_tag, identifiers: command.device_identifier };
        let report = self.reporter().report(elements, view, 0, command.allocation_length);
        Completion::good_with(report)
    }

    fn found(&self, command: RequestVolumeElementAddress, search: Search, mut elements: Vec<Element>) -> Completion {
        elements.retain(|element| search.finds(element));
        elements.truncate(usize::from(command.number_of_elements));
        let view = View { volume_tags: command.volume_tag, identifiers: false };
        let action = search.command.send_action_code.0;
        Completion::good_with(self.reporter().report(&elements, view, action, command.allocation_length))
    }

    fn reporter(&self) -> Reporter<'_> {
        Reporter { layout: self.layout, drives: self.drives }
    }
}

fn selection(command: ReadElementStatus) -> Selection {
    Selection {
        element_type: command.element_type,
        start: command.starting_element_address,
        count: command.number_of_elements,
    }
}

/// Everything that a search may have found: the number of elements counts only those.
fn found(command: RequestVolumeElementAddress) -> Selection {
    Selection { element_type: command.element_type, start: command.starting_element_address, count: u16::MAX }
}
