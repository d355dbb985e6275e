//! Power cuts: daemon, load and disk are in a guest, and the guest is killed at a random moment.
//!
//! The next boot mounts the same disk, checks the file system, starts the daemon and verifies in the guest that
//! everything before the last recovery point of each cartridge is there, and nothing that was never written; then the
//! load goes on. Now and then the power is cut again while the daemon recovers.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::chance::Chance;
use super::guest::{Guest, Machine, memory_directory};
use super::kill::no_panic;
use super::options::FileSystem;
use super::programs::Programs;
use super::record::{Death, Record};
use crate::workspace::Workspace;
use crate::{linux, process};

const DISK_SIZE: u64 = 3 << 30;
/// About how much a cartridge holds: everything is read back after each cut, on one slow processor.
const BUDGET: u64 = 4 << 20;
/// Cuts under load, in milliseconds after the load has begun.
const UNDER_LOAD: (u64, u64) = (100, 4000);
/// Cuts in recovery, in milliseconds after the mount.
const IN_RECOVERY: (u64, u64) = (0, 1200);
/// After how many hundredths of a second the guest's kernel writes what is dirty: from almost at once, so that
/// parts of everything have reached the disk, to never.
const EXPIRE: [&str; 4] = ["10", "40", "150", "3000"];

pub(super) fn run(
    workspace: &Workspace,
    programs: &Programs,
    fs: FileSystem,
    directory: &Path,
    record: &mut Record,
) -> Result<()> {
    let disk = Disk::create(&memory_directory(directory))?;
    let machine = Machine {
        root: linux::guest_root(workspace)?,
        rig: workspace.root.join("scsi-tests/linux/power"),
        directory: directory.to_owned(),
        disk: disk.0.clone(),
    };
    fs::create_dir_all(machine.share())?;
    fs::copy(&programs.capstan, machine.share().join("capstan"))?;
    fs::copy(&programs.load, machine.share().join("crash-load"))?;
    let mut run = Run { machine, fs, seed: record.seed, chance: Chance::new(record.seed) };
    let verdict = run.cycles(record);
    if verdict.is_err() {
        // What is on it is the evidence.
        let words = ["cp".as_ref(), "--sparse=always".as_ref(), disk.0.as_os_str(), directory.as_os_str()];
        process::output(&mut process::command(&words)).context("the disk cannot be kept")?;
    }
    verdict
}

struct Run {
    machine: Machine,
    fs: FileSystem,
    seed: u64,
    chance: Chance,
}

impl Run {
    fn cycles(&mut self, record: &mut Record) -> Result<()> {
        let mut guest = self.boot(true, false)?;
        guest.expect("mounted")?;
        guest.expect("verified")?;
        for number in 1..=record.count {
            guest.expect("loading")?;
            let after = self.chance.wait(UNDER_LOAD.0, UNDER_LOAD.1);
            ensure!(guest.cut()?, "the guest ended by itself: see console.log and kernel.log");
            let answered = Value::from(answered(&self.machine.share().join("journal"))?);
            let start = Instant::now();
            let mut again = 0;
            while self.chance.one_in(6) {
                again += u32::from(self.cut_in_recovery()?);
            }
            guest = self.boot(false, number == record.count)?;
            guest.expect("mounted")?;
            let verified = guest.expect("verified")?;
            record.death(Death { number, after, answered, again, took: start.elapsed(), verified, tier: (0, 0) })?;
        }
        guest.end()?;
        no_panic(&self.machine.share().join("daemon.log"))
    }

    /// False if it had verified everything and switched itself off before the cut.
    fn cut_in_recovery(&mut self) -> Result<bool> {
        let mut guest = self.boot(false, true)?;
        guest.expect("mounted")?;
        self.chance.wait(IN_RECOVERY.0, IN_RECOVERY.1);
        guest.cut()
    }

    fn boot(&mut self, format: bool, verify_only: bool) -> Result<Guest> {
        let load = format!("--seed {} --budget {BUDGET}{}", self.seed, if verify_only { " --verify-only" } else { "" });
        let environment = format!(
            "FS={}\nOPTIONS={}\nFORMAT={}\nEXPIRE={}\nLOAD=\"{load}\"\n",
            self.fs.name(),
            self.chance.pick(self.fs.mount_options()),
            if format { "yes" } else { "no" },
            self.chance.pick(&EXPIRE),
        );
        self.machine.boot(&environment)
    }
}

/// Operations that the journal says were answered in this cycle.
fn answered(journal: &Path) -> Result<usize> {
    let journal = fs::read_to_string(journal).context("the guest has left no journal")?;
    Ok(journal.lines().filter(|line| line.starts_with("{\"Done\"")).count())
}

/// A file that takes no room until it is written; removed when dropped.
struct Disk(PathBuf);

const DISK_PREFIX: &str = "capstan-soak-";

impl Disk {
    /// Makes one, named by our process id, and removes those of runs that were killed.
    fn create(directory: &Path) -> Result<Self> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let owner = owner(&entry.file_name().to_string_lossy());
            if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
                fs::remove_file(entry.path())?;
            }
        }
        let path = directory.join(format!("{DISK_PREFIX}{}", std::process::id()));
        File::create(&path)?.set_len(DISK_SIZE)?;
        Ok(Self(path))
    }
}

/// The process that made a disk of this name.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(DISK_PREFIX)?.parse().ok()
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_removed_with_its_run_or_by_the_next_one() {
        let directory = std::env::temp_dir().join(format!("capstan-soak-disks-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("capstan-soak-4294967295"), "").unwrap();
        fs::write(directory.join("capstan-soak-notes"), "").unwrap();
        let disk = Disk::create(&directory).unwrap();
        let names = || fs::read_dir(&directory).unwrap().count();
        assert_eq!((names(), disk.0.metadata().unwrap().len()), (2, DISK_SIZE));
        drop(disk);
        assert_eq!(names(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }
}
