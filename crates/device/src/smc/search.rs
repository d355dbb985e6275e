//! SEND VOLUME TAG, which searches, and REQUEST VOLUME ELEMENT ADDRESS, which answers. [SMC-3]
//!
//! The search is kept for the nexus that sent it and carried out when the answer is asked for.

use std::collections::BTreeMap;

use bytes::Bytes;
use capstan_media::Element;
use capstan_scsi::sam::{Completion, NexusId};
use capstan_scsi::smc::{ElementType, RequestVolumeElementAddress, SendVolumeTag, VolumeTagSearch};
use capstan_scsi::{Asc, CheckCondition, SenseKey};

use super::inventory::{self, Selection, View};
use super::op::{ChangerOp, ChangerResult};
use super::{MediaChanger, refusal};
use crate::server::{Command, Outcome};
use crate::spc::{CommandSpec, Reply, good};

/// SEND VOLUME TAG.
pub(super) const fn send_volume_tag() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xb6, 0x0f, 0xff, 0xff, 0x00, 0x1f, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00];
    CommandSpec::new(SendVolumeTag::OPERATION_CODE, "SEND VOLUME TAG", USAGE, |changer, command, list| {
        send(changer, command, &list)
    })
    .check(|_, command| check_send(command))
    .timeout(300)
}

/// REQUEST VOLUME ELEMENT ADDRESS.
pub(super) const fn request_volume_element_address() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xb5, 0x1f, 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0x00, 0x00];
    let opcode = RequestVolumeElementAddress::OPERATION_CODE;
    CommandSpec::new(opcode, "REQUEST VOLUME ELEMENT ADDRESS", USAGE, request)
        .check(|changer, command| select(changer, command).map(|_| 0))
        .resume(answer)
        .timeout(300)
}

/// The parameter list is absent or that of the standard.
fn check_send(command: &Command) -> Result<u32, CheckCondition> {
    let length = SendVolumeTag::parse(&command.cdb)?.parameter_list_length;
    match usize::from(length) {
        0 | VolumeTagSearch::LENGTH => Ok(u32::from(length)),
        _ => Err(CheckCondition::invalid_field_in_cdb(8, None)),
    }
}

/// Keeps the search; an absent parameter list changes nothing.
fn send(changer: &mut MediaChanger, command: &Command, list: &[u8]) -> Reply<MediaChanger> {
    let nexus = command.nexus;
    let command = SendVolumeTag::parse(&command.cdb)?;
    if command.parameter_list_length > 0 {
        let list = list.first_chunk().ok_or(illegal(Asc::PARAMETER_LIST_LENGTH_ERROR))?;
        changer.searches.0.insert(nexus, Search { command, wanted: VolumeTagSearch::from_bytes(list) });
    }
    Ok(good())
}

/// The command, and everything that the search may have found: the number of elements counts only what it did find.
fn select(
    changer: &MediaChanger,
    command: &Command,
) -> Result<(RequestVolumeElementAddress, Option<ChangerOp>), CheckCondition> {
    let command = RequestVolumeElementAddress::parse(&command.cdb)?;
    let (element_type, start) = (command.element_type, command.starting_element_address);
    Ok((command, Selection { element_type, start, count: u16::MAX }.op(&changer.layout)?))
}

fn request(changer: &mut MediaChanger, command: &Command, _: Bytes) -> Reply<MediaChanger> {
    let search = changer.searches.of(command.nexus)?;
    match select(changer, command)? {
        (_, Some(op)) => Ok(Outcome::Perform(op)),
        (command, None) => Ok(report(changer, command, search, Vec::new())),
    }
}

fn answer(changer: &mut MediaChanger, command: &Command, result: ChangerResult) -> Reply<MediaChanger> {
    let search = changer.searches.of(command.nexus)?;
    let command = RequestVolumeElementAddress::parse(&command.cdb)?;
    match result {
        ChangerResult::Elements(elements) => Ok(report(changer, command, search, elements)),
        other => Err(refusal::unexpected(&other)),
    }
}

fn report<Op>(
    changer: &MediaChanger,
    command: RequestVolumeElementAddress,
    search: Search,
    mut elements: Vec<Element>,
) -> Outcome<Op> {
    elements.retain(|element| search.finds(element));
    elements.truncate(usize::from(command.number_of_elements));
    let send_action_code = search.command.send_action_code.0;
    let view = View { volume_tags: command.volume_tag, identifiers: false, send_action_code };
    let report = changer.report(&elements, view);
    Outcome::Done(Completion::good_with(report.encode(command.allocation_length)))
}

/// The last search of each nexus: at most one for every nexus that lives.
#[derive(Debug, Default)]
pub(super) struct Searches(BTreeMap<NexusId, Search>);

/// A search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Search {
    command: SendVolumeTag,
    wanted: VolumeTagSearch,
}

/// The sequence number of every cartridge: there are no volume sets.
const SEQUENCE: u16 = 0;

impl Search {
    /// True when the cartridge in `element` is one that was searched for.
    fn finds(&self, element: &Element) -> bool {
        let Some(barcode) = &element.barcode else { return false };
        let wrong_type = self.command.element_type != ElementType::ALL
            && self.command.element_type != inventory::element_type(element.kind);
        if wrong_type || element.address.0 < self.command.starting_element_address {
            return false;
        }
        let in_bounds = (self.wanted.minimum_sequence..=self.wanted.maximum_sequence).contains(&SEQUENCE);
        let in_sequence = in_bounds || !self.command.send_action_code.checks_sequence();
        in_sequence && self.wanted.matches(barcode.as_str().as_bytes())
    }
}

impl Searches {
    /// The last search of a nexus.
    ///
    /// # Errors
    /// COMMAND SEQUENCE ERROR when there was none.
    fn of(&self, nexus: NexusId) -> Result<Search, CheckCondition> {
        self.0.get(&nexus).copied().ok_or(illegal(Asc::COMMAND_SEQUENCE_ERROR))
    }

    /// A nexus is gone.
    pub(super) fn forget(&mut self, nexus: NexusId) {
        self.0.remove(&nexus);
    }

    /// All are gone.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn illegal(asc: Asc) -> CheckCondition {
    CheckCondition::new(SenseKey::IllegalRequest, asc)
}
