//! What the shared commands ask of a device.

use capstan_scsi::CheckCondition;
use capstan_scsi::sam::NexusId;
use capstan_scsi::spc::inquiry::StandardInquiry;
use capstan_scsi::spc::log::{LogPageCode, LogParameter};
use capstan_scsi::spc::mode::{BLOCK_DESCRIPTOR_LENGTH, ModeHeader, ModePages, ModeParameterList};
use capstan_scsi::spc::vpd::VpdPageCode;

use super::{CommandSpec, SpcState};
use crate::server::DeviceServer;

/// Whether MODE SELECT changed anything: other nexuses are told if it did. [SPC-5 6.11]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModeChange {
    /// Every parameter has the value it had.
    Nothing,
    /// Some parameter changed.
    Something,
}

/// A device server that runs the shared commands.
pub trait SpcDevice: DeviceServer + Sized + 'static {
    /// Every command it supports, in ascending order of operation code and service action.
    fn commands() -> &'static [CommandSpec<Self>];

    /// The shared state.
    fn spc(&self) -> &SpcState;

    /// The shared state.
    fn spc_mut(&mut self) -> &mut SpcState;

    /// Standard INQUIRY data.
    fn inquiry(&self) -> StandardInquiry;

    /// VPD pages of its device type besides 00h, 80h and 83h, in ascending order.
    fn vpd_pages() -> &'static [VpdPageCode] {
        &[]
    }

    /// Payload of one of [`SpcDevice::vpd_pages`].
    fn vpd_payload(&self, _page: VpdPageCode) -> Option<Vec<u8>> {
        None
    }

    /// MEDIUM TYPE and DEVICE-SPECIFIC PARAMETER.
    fn mode_header(&self) -> ModeHeader {
        ModeHeader::default()
    }

    /// The block descriptor, for devices that have one.
    fn block_descriptor(&self) -> Option<[u8; BLOCK_DESCRIPTOR_LENGTH]> {
        None
    }

    /// The mode pages as they are now.
    fn mode_pages(&self) -> ModePages;

    /// Takes over a mode parameter list that is well formed. Nothing may change if it is refused.
    ///
    /// # Errors
    /// What is wrong with it, pointing into the parameter list.
    fn mode_select(&mut self, list: &ModeParameterList) -> Result<ModeChange, CheckCondition>;

    /// Log pages with their subpages, in ascending order, the lists of supported pages (00h) included.
    fn log_pages() -> &'static [(LogPageCode, u8)];

    /// Parameters of one of [`SpcDevice::log_pages`] other than the lists.
    fn log_parameters(&self, _nexus: NexusId, _page: LogPageCode, _subpage: u8) -> Option<Vec<LogParameter>> {
        None
    }

    /// A log page was reported to a nexus from its first parameter to its last: what is cleared by reading is cleared.
    fn log_page_read(&mut self, _nexus: NexusId, _page: LogPageCode) {}

    /// LOG SELECT with PCR: counters of one page, or of all, start again.
    fn log_reset(&mut self, _page: Option<LogPageCode>) {}
}
