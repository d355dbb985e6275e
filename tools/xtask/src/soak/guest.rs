//! The guest whose power is cut: User Mode Linux with a disk, and no network.
//!
//! The disk is a file. What the guest's kernel has written to it is in the host's page cache and stays when the guest
//! is killed; what was only in the guest's own page cache is gone. What the load writes to the shared directory goes
//! through to the host at once: it is known what the guest had been told.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::process;
use crate::program::{PATIENCE, expect, parse};

/// What every boot needs.
pub(super) struct Machine {
    /// The guest's root file system.
    pub(super) root: PathBuf,
    /// `scsi-tests/linux/power`, seen in the guest as `/rig`.
    pub(super) rig: PathBuf,
    /// Logs, and the directory that is shared.
    pub(super) directory: PathBuf,
    pub(super) disk: PathBuf,
}

const MEMORY: &str = "768M";

/// A booted guest; killed when dropped.
pub(super) struct Guest {
    /// `unshare`, which waits until no process of the guest is left.
    process: Child,
    progress: PathBuf,
    /// Steps that were looked at.
    seen: usize,
}

impl Machine {
    pub(super) fn share(&self) -> PathBuf {
        self.directory.join("share")
    }

    /// Boots it. `environment` is what `guest/init.sh` reads.
    pub(super) fn boot(&self, environment: &str) -> Result<Guest> {
        let progress = self.share().join("progress");
        File::create(&progress)?;
        fs::write(self.share().join("environment"), environment)?;
        let mut command = process::command(&["setpriv", "--pdeathsig", "KILL"]);
        // In a process namespace of its own: when its first process is killed, all are gone at once.
        command.args(["unshare", "--pid", "--fork", "--kill-child", "linux.uml"]);
        command.args(["root=/dev/root", "rootfstype=hostfs", "ro", "init=/capstan-boot", "quiet", "con=null"]);
        command.args(["con0=fd:0,fd:1", &format!("mem={MEMORY}")]);
        command.arg(format!("rootflags={}", self.root.display()));
        command.arg(format!("uml_dir={}", self.directory.join("uml").display()));
        command.arg(format!("capstan_rig={}", self.rig.display()));
        command.arg(format!("capstan_share={}", self.share().display()));
        command.arg(format!("ubd0={}", self.disk.display())).env("TMPDIR", memory_directory(&self.directory));
        let console = File::create(self.directory.join("console.log"))?;
        let kernel = File::create(self.directory.join("kernel.log"))?;
        let process = command.stdin(Stdio::null()).stdout(console).stderr(kernel).spawn()?;
        Ok(Guest { process, progress, seen: 0 })
    }
}

impl Guest {
    /// The next step, which must be of this kind.
    pub(super) fn expect(&mut self, kind: &str) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // What is there is looked at once more after the end.
            let ended = self.process.try_wait()?;
            let text = fs::read_to_string(&self.progress)?;
            let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
            if let Some(line) = whole.lines().nth(self.seen) {
                self.seen += 1;
                return expect(&parse(line)?, kind);
            }
            if let Some(status) = ended {
                bail!("the guest ended by itself ({status}) and not with {kind}: see console.log and kernel.log");
            }
            if Instant::now() > deadline {
                bail!("the guest does not come to {kind}: see console.log and kernel.log");
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// Cuts the power; false if the guest was off already. Nothing of it runs when this returns.
    pub(super) fn cut(mut self) -> Result<bool> {
        let Some(first) = child_of(self.process.id())? else { return Ok(false) };
        let killed = process::succeeds(&mut process::command(&["kill", "-KILL", &first.to_string()]))?;
        self.process.wait()?;
        Ok(killed)
    }

    /// Waits until it has switched itself off.
    pub(super) fn end(mut self) -> Result<()> {
        self.expect("off")?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The child of a process that has one.
fn child_of(parent: u32) -> Result<Option<u32>> {
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // It may be gone by now.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if parent_in(&stat) == Some(parent) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// The fourth field; the second is a name in brackets that may hold anything. [proc(5) /proc/pid/stat]
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Where the guest's memory, or its disk, lies: on tmpfs if there is one, for its flushes cost nothing there.
pub(super) fn memory_directory(otherwise: &Path) -> PathBuf {
    let free = process::output(&mut process::command(&["df", "--output=avail", "--block-size=1M", "/dev/shm"])).ok();
    let free: Option<u64> = free.and_then(|text| text.lines().nth(1)?.trim().parse().ok());
    if free.is_some_and(|free| free > 6 << 10) { PathBuf::from("/dev/shm") } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_hide_the_parent() {
        assert_eq!(parent_in("12 (a) b (c)) S 34 12 12 0"), Some(34));
        assert_eq!(parent_in(""), None);
    }

    #[test]
    fn a_child_is_found() {
        let mut child = process::command(&["sleep", "60"]).spawn().unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        assert_eq!(parent_in(&stat), Some(std::process::id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(child_of(u32::MAX).unwrap(), None);
    }
}
