//! Log pages of the drive. [SSC-5 8.2]

use capstan_scsi::sam::NexusId;
use capstan_scsi::spc::log::{ALL_SUBPAGES, LogPageCode, LogParameter};

use super::{Medium, TapeAlertFlag, TapeDrive};

pub(super) const PAGES: [(LogPageCode, u8); 6] = [
    (LogPageCode::SUPPORTED_LOG_PAGES, 0),
    (LogPageCode::SUPPORTED_LOG_PAGES, ALL_SUBPAGES),
    (LogPageCode::SEQUENTIAL_ACCESS_DEVICE, 0),
    (LogPageCode::VOLUME_STATISTICS, 0),
    (LogPageCode::TAPE_ALERT, 0),
    (LogPageCode::TAPE_CAPACITY, 0),
];

impl TapeDrive {
    /// Parameters of a page.
    pub(super) fn parameters(&self, nexus: NexusId, page: LogPageCode) -> Option<Vec<LogParameter>> {
        match page {
            LogPageCode::SEQUENTIAL_ACCESS_DEVICE => Some(self.sequential_access_device()),
            LogPageCode::VOLUME_STATISTICS => Some(self.volume_statistics()),
            LogPageCode::TAPE_ALERT => Some(self.tape_alert(nexus)),
            LogPageCode::TAPE_CAPACITY => Some(self.tape_capacity()),
            _ => None,
        }
    }

    /// What was transferred between host, drive and medium (nothing is compressed in between), and that no cleaning
    /// is required.
    fn sequential_access_device(&self) -> Vec<LogParameter> {
        let written = self.statistics.logged_write_bytes();
        let read = self.statistics.logged_read_bytes();
        let counter = |code, value: u64| LogParameter::counter(code, value.to_be_bytes());
        vec![
            counter(0x0000, written),
            counter(0x0001, written),
            counter(0x0002, read),
            counter(0x0003, read),
            LogParameter::list(0x0100, [0]),
        ]
    }

    /// Capacities of the partition in units of 10^6 bytes; LTFS finds the number of partitions by their records.
    fn volume_statistics(&self) -> Vec<LogParameter> {
        let Ok(medium) = self.threaded() else { return vec![LogParameter::list(0x0000, [0])] };
        let megabytes = |bytes: u64| u32::try_from(bytes / 1_000_000).unwrap_or(u32::MAX - 1);
        let record = |code, bytes| {
            let mut value = vec![7, 0, 0, 0];
            value.extend(megabytes(bytes).to_be_bytes());
            LogParameter::list(code, value)
        };
        vec![
            LogParameter::list(0x0000, [1]),
            record(0x0202, medium.capacity),
            record(0x0203, medium.used),
            record(0x0204, remaining(medium)),
        ]
    }

    /// The 64 flags, one byte each.
    fn tape_alert(&self, nexus: NexusId) -> Vec<LogParameter> {
        let flag = |number: u8| [u8::from(self.alerts.is_set(nexus, TapeAlertFlag(number)))];
        (1..=64).map(|number| LogParameter::list(u16::from(number), flag(number))).collect()
    }

    /// Remaining and maximum capacity of the main and the alternate partition in MiB. There is no alternate one.
    fn tape_capacity(&self) -> Vec<LogParameter> {
        let mebibytes = |bytes: u64| u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
        let (rest, maximum) =
            self.threaded().map_or((0, 0), |medium| (mebibytes(remaining(medium)), mebibytes(medium.capacity)));
        [(1, rest), (2, 0), (3, maximum), (4, 0)]
            .map(|(code, value): (u16, u32)| LogParameter::counter(code, value.to_be_bytes()))
            .to_vec()
    }
}

fn remaining(medium: &Medium) -> u64 {
    medium.capacity.saturating_sub(medium.used)
}
