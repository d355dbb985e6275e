//! What a drive has counted.

use capstan_media::MediumFailureKind;

/// Counters since the drive was made. "Read" is what a host received, "written" what it sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DriveStatistics {
    /// Bytes of blocks read.
    pub read_bytes: u64,
    /// Bytes of blocks written.
    pub write_bytes: u64,
    /// Blocks read.
    pub read_blocks: u64,
    /// Blocks written.
    pub write_blocks: u64,
    /// Filemarks written.
    pub filemarks: u64,
    /// Cartridges threaded.
    pub loads: u64,
    /// Operations that failed to read.
    pub read_errors: u64,
    /// Operations that failed to write.
    pub write_errors: u64,
    /// `read_bytes` when a host last reset the log page.
    log_read_bytes: u64,
    /// `write_bytes` when a host last reset the log page.
    log_write_bytes: u64,
}

impl DriveStatistics {
    pub(super) fn count_read(&mut self, blocks: u64, bytes: u64) {
        self.read_blocks = self.read_blocks.saturating_add(blocks);
        self.read_bytes = self.read_bytes.saturating_add(bytes);
    }

    pub(super) fn count_write(&mut self, blocks: u64, bytes: u64) {
        self.write_blocks = self.write_blocks.saturating_add(blocks);
        self.write_bytes = self.write_bytes.saturating_add(bytes);
    }

    pub(super) fn count_failure(&mut self, kind: MediumFailureKind) {
        use MediumFailureKind::{Corrupt, NoSpace, Poisoned, ReadFault, SyncFault, WriteFault};
        match kind {
            Corrupt | ReadFault => self.read_errors = self.read_errors.saturating_add(1),
            WriteFault | SyncFault | Poisoned | NoSpace => self.write_errors = self.write_errors.saturating_add(1),
            MediumFailureKind::WriteProtected | MediumFailureKind::NoSuchPartition => {}
        }
    }

    /// The counters of the Sequential-Access Device log page begin at zero now. [SPC-5 6.8]
    pub(super) fn start_log(&mut self) {
        (self.log_read_bytes, self.log_write_bytes) = (self.read_bytes, self.write_bytes);
    }

    /// Bytes read since the log page was reset.
    pub(super) fn logged_read_bytes(&self) -> u64 {
        self.read_bytes.saturating_sub(self.log_read_bytes)
    }

    /// Bytes written since the log page was reset.
    pub(super) fn logged_write_bytes(&self) -> u64 {
        self.write_bytes.saturating_sub(self.log_write_bytes)
    }
}
