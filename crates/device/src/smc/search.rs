//! The search that SEND VOLUME TAG leaves behind for REQUEST VOLUME ELEMENT ADDRESS. [SMC-3 6.13, 6.14]

use std::collections::BTreeMap;

use capstan_media::Element;
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::NexusId;
use capstan_scsi::smc::{ElementType, SendVolumeTag, VolumeTagSearch};
use capstan_scsi::{CheckCondition, SenseKey};

use super::inventory;

/// The last search of each nexus: at most one for every nexus that lives.
#[derive(Debug, Default)]
pub(super) struct Searches(BTreeMap<NexusId, Search>);

/// A search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Search {
    pub(super) command: SendVolumeTag,
    wanted: VolumeTagSearch,
}

/// The sequence number of every cartridge: there are no volume sets.
const SEQUENCE: u16 = 0;

impl Search {
    /// True when the cartridge in `element` is one that was searched for.
    pub(super) fn finds(&self, element: &Element) -> bool {
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
    /// How many bytes the parameter list has.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB when it is neither absent nor the list of the standard.
    pub(super) fn needed(command: SendVolumeTag) -> Result<u32, CheckCondition> {
        match usize::from(command.parameter_list_length) {
            0 | VolumeTagSearch::LENGTH => Ok(u32::from(command.parameter_list_length)),
            _ => Err(CheckCondition::invalid_field_in_cdb(8, None)),
        }
    }

    /// Keeps the search; an absent parameter list changes nothing.
    ///
    /// # Errors
    /// PARAMETER LIST LENGTH ERROR when the list came cut.
    pub(super) fn send(&mut self, nexus: NexusId, command: SendVolumeTag, list: &[u8]) -> Result<(), CheckCondition> {
        if command.parameter_list_length == 0 {
            return Ok(());
        }
        let list = list.first_chunk().ok_or(illegal(Asc::PARAMETER_LIST_LENGTH_ERROR))?;
        self.0.insert(nexus, Search { command, wanted: VolumeTagSearch::from_bytes(list) });
        Ok(())
    }

    /// The last search of a nexus.
    ///
    /// # Errors
    /// COMMAND SEQUENCE ERROR when there was none.
    pub(super) fn of(&self, nexus: NexusId) -> Result<Search, CheckCondition> {
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
