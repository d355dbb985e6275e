//! Before each measurement: what was written earlier is on disk, so that nobody pays for it later.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::results::Results;
use crate::process;

/// More dirty pages than this are waited for, KiB.
const DIRTY: u64 = 50 << 10;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn wait(results: &mut Results) -> Result<()> {
    process::output(&mut process::command(&["sync"]))?;
    let start = Instant::now();
    while dirty(&fs::read_to_string("/proc/meminfo")?).context("/proc/meminfo names no dirty pages")? >= DIRTY {
        if start.elapsed() > PATIENCE {
            results
                .note("somebody else writes to this machine: a measurement began with more than 50 MiB dirty".into());
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Dirty and being written, KiB. [proc(5) /proc/meminfo]
fn dirty(meminfo: &str) -> Option<u64> {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line?.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(field("Dirty")? + field("Writeback")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_dirty_pages_count() {
        let text = "MemFree: 9 kB\nDirty:   1000 kB\nWriteback:  24 kB\nWritebackTmp: 7 kB\n";
        assert_eq!(dirty(text), Some(1024));
        assert_eq!(dirty("Dirty: 1 kB\n"), None);
    }
}
