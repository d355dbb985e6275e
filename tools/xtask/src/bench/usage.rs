//! What a process has used. [proc(5) /proc/pid/task, /proc/pid/status; Linux Documentation/scheduler/sched-stats]

use std::fs;

use anyhow::{Context, Result, ensure};

use super::statistics::float;

/// User and system time of all threads that live, seconds. `/proc/pid/stat` says the same in steps of 10 ms, which is
/// too coarse for measurements of a tenth of a second.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let directory = format!("/proc/{pid}/task");
    let (mut seconds, mut threads) = (0.0, 0);
    for entry in fs::read_dir(&directory).with_context(|| directory.clone())? {
        let file = entry?.path().join("schedstat");
        // A thread may end meanwhile.
        if let Ok(text) = fs::read_to_string(&file) {
            seconds += on_processor(&text).with_context(|| file.display().to_string())?;
            threads += 1;
        }
    }
    ensure!(threads > 0, "{directory}: no thread has a schedstat: this kernel does not count (CONFIG_SCHED_INFO)");
    Ok(seconds)
}

/// Peak of resident memory, MiB.
pub(super) fn peak_memory(pid: u32) -> Result<f64> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).with_context(|| file.clone())?;
    Ok(f64::from(high_water_mark(&text).context(file)?) / 1024.0)
}

/// The first field is in nanoseconds.
fn on_processor(schedstat: &str) -> Option<f64> {
    Some(float(schedstat.split_whitespace().next()?.parse().ok()?) / 1e9)
}

/// In KiB.
fn high_water_mark(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found() {
        assert_eq!(on_processor("2500000000 17 9\n"), Some(2.5));
        assert_eq!(on_processor(""), None);
        assert_eq!(high_water_mark("VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\n"), Some(2048));
        let own = std::process::id();
        assert!(peak_memory(own).unwrap() > 0.5);
        assert!(cpu_seconds(own).unwrap() > 0.0);
        assert!(cpu_seconds(u32::MAX).is_err());
    }
}
