//! What a disk has done. [Linux Documentation/block/stat]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::statistics::float;
use crate::process;

/// Counters of the disk below a directory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Counters {
    written_mib: f64,
    busy_seconds: f64,
}

impl Counters {
    /// An error where the file system is not on a block device.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let mut findmnt = process::command(&["findmnt", "--noheadings", "--output", "MAJ:MIN", "--target"]);
        let device = process::output(findmnt.arg(directory))?;
        let file = format!("/sys/dev/block/{}/stat", device.trim());
        let text = fs::read_to_string(&file).with_context(|| file.clone())?;
        Self::parse(&text).context(file)
    }

    /// The seventh field counts sectors of 512 bytes, the tenth milliseconds.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<u64> = stat.split_whitespace().map_while(|field| field.parse().ok()).collect();
        Some(Self { written_mib: float(*fields.get(6)?) / 2048.0, busy_seconds: float(*fields.get(9)?) / 1000.0 })
    }

    /// MiB written each second, and the share of the time in which the disk had something to do, in percent.
    pub(super) fn since(&self, before: &Self, seconds: f64) -> (f64, f64) {
        let written = (self.written_mib - before.written_mib) / seconds;
        (written, (self.busy_seconds - before.busy_seconds) / seconds * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_in_their_units() {
        let before = Counters::parse("1 0 8 0 5 0 2048 0 0 1000 0").unwrap();
        let after = Counters::parse("1 0 8 0 5 0 22528 0 0 2500 0").unwrap();
        assert_eq!(after.since(&before, 2.0), (5.0, 75.0));
        assert_eq!(Counters::parse("1 0 8"), None);
    }
}
