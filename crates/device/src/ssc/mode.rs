//! Mode parameters of the drive. [SSC-5 8.3]
//!
//! Three things can be set: the block length, buffered mode and data compression. The pages are made from them and
//! from the medium whenever they are asked for, so that nothing is kept twice.

use capstan_media::MAX_BLOCK_LENGTH;
use capstan_scsi::CheckCondition;
use capstan_scsi::spc::mode::{
    BLOCK_DESCRIPTOR_LENGTH, ModeHeader, ModePage, ModePageCode, ModePages, ModeParameterList,
};
use capstan_scsi::ssc::density::DensityCode;
use capstan_scsi::wire;

use super::TapeDrive;
use crate::spc::ModeChange;

/// What MODE SELECT can set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DriveMode {
    /// LOGICAL BLOCK LENGTH of the block descriptor; 0 is variable-block mode.
    pub(super) block_length: u32,
    /// BUFFERED MODE 1; otherwise each WRITE ends only when its data is on stable storage.
    pub(super) buffered: bool,
    /// DCE: the host wants data compression.
    // DEVIATION(ssc-003): data is not compressed on the way in, whatever DCE says; the tier compresses what it keeps.
    pub(super) data_compression: bool,
}

impl Default for DriveMode {
    fn default() -> Self {
        Self { block_length: 0, buffered: true, data_compression: true }
    }
}

const WP: u8 = 0x80;
const DCE: u8 = 0x80;
/// Index of SELECT DATA COMPRESSION ALGORITHM after the header of the Device Configuration page.
const SELECT_DATA_COMPRESSION_ALGORITHM: usize = 12;

impl TapeDrive {
    /// WP, BUFFERED MODE (SPEED is zero) and the medium type.
    pub(super) fn header(&self) -> ModeHeader {
        let medium = self.medium();
        let protected = if medium.is_some_and(|medium| medium.protected) { WP } else { 0 };
        ModeHeader {
            medium_type: medium.map_or(0, |_| self.personality.medium_type),
            device_specific: protected | u8::from(self.mode.buffered) << 4,
        }
    }

    /// DENSITY CODE and LOGICAL BLOCK LENGTH; NUMBER OF LOGICAL BLOCKS is zero: all of the medium.
    pub(super) fn descriptor(&self) -> [u8; BLOCK_DESCRIPTOR_LENGTH] {
        let [high, middle, low] = wire::u24(self.mode.block_length);
        [self.density().0, 0, 0, 0, 0, high, middle, low]
    }

    fn density(&self) -> DensityCode {
        self.medium().map_or(DensityCode::DEFAULT, |_| self.personality.density)
    }

    /// Every mode page.
    pub(super) fn pages(&self) -> ModePages {
        let fixed = |code, values: &[u8]| ModePage::fixed(code, 0, values);
        ModePages::new(vec![
            fixed(ModePageCode::READ_WRITE_ERROR_RECOVERY, &[0; 10]),
            fixed(ModePageCode::DISCONNECT_RECONNECT, &[0; 14]),
            fixed(ModePageCode::CONTROL, &CONTROL),
            self.data_compression_page(),
            self.device_configuration_page(),
            // Write mode (overwrite), PEWS and the rest are zero.
            ModePage::fixed(ModePageCode::DEVICE_CONFIGURATION, 1, &[0; 28]),
            fixed(ModePageCode::MEDIUM_PARTITION, &self.medium_partition()),
            fixed(ModePageCode::INFORMATIONAL_EXCEPTIONS_CONTROL, &INFORMATIONAL_EXCEPTIONS_CONTROL),
            // WORMM is zero.
            fixed(ModePageCode::MEDIUM_CONFIGURATION, &[0; 30]),
        ])
    }

    fn data_compression_page(&self) -> ModePage {
        let values = |dce: bool| {
            // DCE and DCC; DDE; compression and decompression algorithm 1.
            let dce = if dce { DCE } else { 0 };
            [dce | 0x40, 0x80, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]
        };
        let mut page = ModePage::fixed(ModePageCode::DATA_COMPRESSION, 0, &values(true)).with_changeable(&[DCE]);
        page.current = values(self.mode.data_compression).to_vec();
        page
    }

    /// Active partition, BIS (block identifiers supported), EEG (end of data is generated), SEW (early warning makes
    /// the drive write what it buffers), and compression once more.
    fn device_configuration_page(&self) -> ModePage {
        let partition = self.medium().map_or(0, |medium| medium.position.partition.0);
        let values = |algorithm: bool| {
            let mut values = [0; 14];
            values[1] = partition;
            values[6] = 0x40;
            values[8] = 0x18;
            values[SELECT_DATA_COMPRESSION_ALGORITHM] = u8::from(algorithm);
            values
        };
        let mut mask = [0; 14];
        mask[SELECT_DATA_COMPRESSION_ALGORITHM] = 1;
        let mut page = ModePage::fixed(ModePageCode::DEVICE_CONFIGURATION, 0, &values(true)).with_changeable(&mask);
        page.current = values(self.mode.data_compression).to_vec();
        page
    }

    /// One partition and room for no other: its size in GB (PSUM units, 10^9).
    fn medium_partition(&self) -> [u8; 8] {
        const PSUM_UNITS: u8 = 0x18;
        const FORMAT_AND_PARTITION_RECOGNITION: u8 = 3;
        const GIGABYTES: u8 = 9;
        let size = self.medium().map_or(0, |medium| medium.capacity.div_ceil(1_000_000_000));
        let [high, low] = u16::try_from(size).unwrap_or(u16::MAX).to_be_bytes();
        [0, 0, PSUM_UNITS, FORMAT_AND_PARTITION_RECOGNITION, GIGABYTES, 0, high, low]
    }

    /// Takes over a mode parameter list; all of it is checked first.
    pub(super) fn select(&mut self, list: &ModeParameterList) -> Result<ModeChange, CheckCondition> {
        let mut mode = self.mode;
        mode.buffered = match (list.header.device_specific >> 4) & 0x07 {
            0 => false,
            1 => true,
            _ => {
                let at = list.device_specific_at;
                return Err(CheckCondition::invalid_field_in_parameter_list(at, Some(6)));
            }
        };
        if let Some(descriptor) = &list.block_descriptor {
            mode.block_length = self.selected_block_length(descriptor, list.block_descriptor_at)?;
        }
        let before = self.pages();
        mode.data_compression = selected_compression(mode.data_compression, &before, &before.select(&list.pages)?);
        let change = if mode == self.mode { ModeChange::Nothing } else { ModeChange::Something };
        self.mode = mode;
        Ok(change)
    }

    fn selected_block_length(&self, descriptor: &[u8; 8], at: u16) -> Result<u32, CheckCondition> {
        let density = DensityCode(descriptor[0]);
        let known = [DensityCode::DEFAULT, DensityCode::NO_CHANGE, self.personality.density];
        if !known.contains(&density) {
            return Err(CheckCondition::invalid_field_in_parameter_list(at, None));
        }
        let block_length = wire::u24_at(descriptor, 5).unwrap_or(0);
        if block_length > MAX_BLOCK_LENGTH {
            return Err(CheckCondition::invalid_field_in_parameter_list(at.saturating_add(5), None));
        }
        Ok(block_length)
    }
}

/// Compression can be set in two pages; whichever differs from before counts.
fn selected_compression(current: bool, before: &ModePages, after: &ModePages) -> bool {
    let dce = |pages: &ModePages| {
        let page = pages.get(ModePageCode::DATA_COMPRESSION, 0);
        page.and_then(|page| page.current.first()).is_some_and(|byte| byte & DCE != 0)
    };
    let algorithm = |pages: &ModePages| {
        let page = pages.get(ModePageCode::DEVICE_CONFIGURATION, 0);
        page.and_then(|page| page.current.get(SELECT_DATA_COMPRESSION_ALGORITHM)).is_some_and(|byte| *byte != 0)
    };
    if dce(before) != dce(after) {
        dce(after)
    } else if algorithm(before) != algorithm(after) {
        algorithm(after)
    } else {
        current
    }
}

/// GLTSD (log parameters are not saved), D_SENSE 0 (fixed-format sense data), TAS (a task aborted by another nexus
/// is answered TASK ABORTED).
const CONTROL: [u8; 10] = [0x02, 0, 0, 0x40, 0, 0, 0, 0, 0, 0];

/// DEXCPT: exceptions are reported by TapeAlert only.
const INFORMATIONAL_EXCEPTIONS_CONTROL: [u8; 10] = [0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0];
