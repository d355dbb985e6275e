//! Where and with what it was measured: figures without that are none.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::options::Options;
use crate::process;

pub(super) struct Machine {
    /// Names and values, in the order of the report.
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Machine {
    pub(super) fn look(root: &Path, directory: &Path, arguments: &[String], options: &Options) -> Result<Self> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
        let meminfo = fs::read_to_string("/proc/meminfo")?;
        let mut findmnt = process::command(&["findmnt", "--noheadings", "--output", "FSTYPE", "--target"]);
        let file_system = process::output(findmnt.arg(directory))?;
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            facts: vec![
                ("date", said("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])?),
                ("commit", commit(root)?),
                ("command", command(arguments)),
                ("repetitions, bytes, seed", format!("{}, {}, {}", options.repeat, options.bytes, options.seed)),
                ("processor", format!("{}, {} processors", model(&cpuinfo), said("nproc", &[])?)),
                ("memory", format!("{} GiB", memory(&meminfo).context("/proc/meminfo has no total")?)),
                ("free memory", free_memory().to_owned()),
                ("kernel", said("uname", &["-sr"])?),
                ("file system", file_system.trim().to_owned()),
                ("load before", load.split_whitespace().take(3).collect::<Vec<_>>().join(" ")),
                ("rustc", said("rustc", &["--version"])?),
                ("tgt", version("tgtd", "tgt")),
                ("iperf3", version("iperf3", "iperf3")),
            ],
        })
    }
}

fn said(program: &str, words: &[&str]) -> Result<String> {
    Ok(process::output(process::command(&[program]).args(words))?.trim().to_owned())
}

fn commit(root: &Path) -> Result<String> {
    let git = |words: &[&str]| process::output(process::command(&["git", "-C"]).arg(root).args(words));
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes = git(&["status", "--porcelain"])?;
    Ok(format!("{}{}", commit.trim(), if changes.is_empty() { "" } else { ", with changes" }))
}

/// As it can be repeated: without the places of this machine.
fn command(arguments: &[String]) -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    let mut is_place = false;
    for word in arguments {
        words.push(if is_place { "...".to_owned() } else { word.clone() });
        is_place = matches!(word.as_str(), "--directory" | "--json" | "--binary");
    }
    words.join(" ")
}

fn model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, model)| model.trim())
}

/// GiB, rounded.
fn memory(meminfo: &str) -> Option<u64> {
    let kib: u64 =
        meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.split_whitespace().next()?.parse().ok()?;
    Some((kib + (1 << 19)) >> 20)
}

/// Whether a host takes freed memory back: then new pages, of the page cache too, can cost the host's time.
/// [Linux Documentation/mm/free_page_reporting]
fn free_memory() -> &'static str {
    let order = fs::read_to_string("/sys/module/page_reporting/parameters/page_reporting_order");
    match order.ok().and_then(|order| order.trim().parse::<i64>().ok()) {
        Some(0..) => "may go back to the host of this virtual machine (free page reporting)",
        _ => "stays with this kernel",
    }
}

/// Of a package that may not be there; the program says its own where there are no packages.
fn version(program: &str, package: &str) -> String {
    if !process::installed(program) {
        return "not installed".to_owned();
    }
    let query = said("dpkg-query", &["--show", "--showformat=${Version} (${Architecture})", package]);
    query.or_else(|_| said(program, &["--version"])).unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_no_place() {
        let words: Vec<String> = ["nop", "--directory", "/mnt/x", "--seed", "3"].map(str::to_owned).to_vec();
        assert_eq!(command(&words), "cargo xtask bench nop --directory ... --seed 3");
    }

    #[test]
    fn a_processor_and_memory_are_found() {
        assert_eq!(model("processor\t: 0\nmodel name\t: A 9 @ 2: 1\n"), "A 9 @ 2: 1");
        assert_eq!(model(""), "unknown");
        assert_eq!(memory("MemTotal:       24500000 kB\n"), Some(23));
    }
}
