//! The peer: Debian's tgt, a userspace iSCSI target with tapes of its own (`--device-type tape`).
//!
//! A target for each drive, LUN 1 in each (LUN 0 is always tgt's controller), a blank tape loaded. Its package declares
//! short data segments; the tuned one gets the lengths that Capstan has, so that not only those are compared.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Access, Process, Server, free_address};
use crate::process;
use crate::program::Program;

/// Room for what a benchmark writes; thin, so only what is written takes room.
const TAPE_MIB: &str = "4096";

/// What Capstan and its initiator agree on.
const TUNED: [(&str, &str); 6] = [
    ("InitialR2T", "No"),
    ("ImmediateData", "Yes"),
    ("FirstBurstLength", "262144"),
    ("MaxBurstLength", "16776192"),
    ("MaxRecvDataSegmentLength", "262144"),
    ("MaxXmitDataSegmentLength", "262144"),
];

pub(super) struct Tgt {
    program: Program,
    control: String,
    drives: u32,
}

pub(super) fn start(directory: &Path, drives: u32, tuned: bool) -> Result<Server> {
    if let Err(why) = availability() {
        bail!("{why}");
    }
    let portal = free_address()?;
    let (_, port) = portal.rsplit_once(':').context("an address without a port")?;
    // A number of 15 bits that no other tgtd has.
    let control = (port.parse::<u16>()? & 0x7fff).to_string();
    let mut command = Command::new("tgtd");
    // Without it tgtd talks to whoever talks to the default one.
    command.args(["--foreground", "--control-port", &control, "--nr_iothreads", "1"]);
    command.args(["--iscsi", &format!("portal={portal}")]).stderr(File::create(directory.join("tgtd.log"))?);
    let mut tgt = Tgt { program: Program::start(&mut command)?, control, drives: 0 };
    tgt.wait()?;
    for drive in 0..drives {
        tgt.add(directory, drive, tuned)?;
    }
    let access = Access::Tape { target, lun: 1, forgets: false };
    Ok(Server { pid: tgt.program.id(), portal, access, process: Process::Tgt(tgt) })
}

fn target(drive: u32) -> String {
    format!("iqn.2026-11.io.capstan:peer.drive-{drive:02}")
}

impl Tgt {
    /// Until it answers.
    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        while self.admin("sys", "show", &[]).is_err() {
            ensure!(self.program.runs()? && start.elapsed() < Duration::from_secs(10), "tgtd does not start");
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn add(&mut self, directory: &Path, drive: u32, tuned: bool) -> Result<()> {
        self.drives = drive + 1;
        let tid = self.drives.to_string();
        let barcode = format!("TGT{:03}L8", self.drives);
        let file = directory.join(&barcode);
        let mut image = process::command(&["tgtimg", "--op", "new", "--device-type", "tape", "--type", "data"]);
        image.args(["--thin-provisioning", "--barcode", &barcode, "--size", TAPE_MIB, "--file"]).arg(&file);
        process::output(&mut image).context("no tape")?;
        let file = file.to_str().context("a directory whose name is not text")?;
        self.admin("target", "new", &["--tid", &tid, "--targetname", &target(drive)])?;
        for (name, value) in TUNED.iter().filter(|_| tuned) {
            self.admin("target", "update", &["--tid", &tid, "--name", name, "--value", value])?;
        }
        let unit = ["--tid", &tid, "--lun", "1", "--device-type", "tape", "--bstype", "ssc", "--backing-store", file];
        self.admin("logicalunit", "new", &unit)?;
        self.admin("target", "bind", &["--tid", &tid, "--initiator-address", "ALL"])
    }

    fn admin(&self, mode: &str, operation: &str, words: &[&str]) -> Result<()> {
        let mut command = process::command(&["tgtadm", "--control-port", &self.control, "--lld", "iscsi"]);
        process::output(command.args(["--mode", mode, "--op", operation]).args(words)).map(drop)
    }

    /// SIGTERM means nothing to it: it ends when its targets are gone and it is told so.
    pub(super) fn stop(mut self) -> Result<()> {
        for tid in 1..=self.drives {
            self.admin("target", "delete", &["--tid", &tid.to_string(), "--force"])?;
        }
        self.admin("system", "delete", &[])?;
        let start = Instant::now();
        while self.program.runs()? && start.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(20));
        }
        // Dropping kills what is left.
        Ok(())
    }
}

impl Drop for Tgt {
    fn drop(&mut self) {
        let _ = self.program.kill();
        for file in [format!("/run/tgtd/socket.{}", self.control), format!("/run/tgtd/socket.{}.lock", self.control)] {
            let _ = fs::remove_file(file);
        }
    }
}

/// Why it cannot be measured, found out once.
fn availability() -> &'static Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let is_root = process::output(&mut process::command(&["id", "-u"])).is_ok_and(|id| id.trim() == "0");
        if !is_root {
            return Err("tgtd runs as root only, and this run is not".to_owned());
        }
        if !process::installed("tgtd") {
            // Debian's package starts a daemon of its own where it is not told that nothing can be started.
            let mut install = process::command(&["apt-get", "install", "-qy", "--no-install-recommends", "tgt"]);
            install.env("DEBIAN_FRONTEND", "noninteractive").env("SYSTEMD_OFFLINE", "1");
            process::output(&mut install).map_err(|error| format!("tgt cannot be installed: {error:#}"))?;
        }
        fs::create_dir_all("/run/tgtd").map_err(|error| format!("/run/tgtd: {error}"))
    })
}
