//! The guest: User Mode Linux, an ordinary process that needs neither KVM nor a kernel module.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};

use super::job::Job;
use super::machine::Machine;
use super::namespace::Namespace;
use super::supplies::disks;
use crate::process;

/// A booted guest; killed when dropped.
pub(super) struct Guest {
    process: Child,
    /// How it ended.
    end: Option<ExitStatus>,
    console: Option<JoinHandle<()>>,
    results: PathBuf,
}

impl Guest {
    /// Boots it, with the job as its one purpose. Its console is printed, and written to `console.log`.
    pub(super) fn boot(machine: &Machine, namespace: &Namespace, job: &Job, results: &Path) -> Result<Self> {
        let share = results.join("share");
        fs::create_dir_all(&share)?;
        let variant = job.variant.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        let full = if machine.form.full { "FULL=yes\n" } else { "FULL=\n" };
        fs::write(share.join("environment"), variant + full + &machine.form.server.environment())?;
        // In a process namespace of its own: however it is ended, none of its processes survives.
        let mut command = namespace.command(&["unshare", "--pid", "--fork", "--kill-child", "linux.uml"]);
        command.args([
            "root=/dev/root",
            "rootfstype=hostfs",
            "ro",
            "init=/capstan-boot",
            "quiet",
            "con=null",
            "con0=fd:0,fd:1",
        ]);
        command.args(["vec0:transport=tap,ifname=tap0,gro=1"]);
        command.arg(format!("mem={}", job.memory)).arg(format!("rootflags={}", machine.root.display()));
        command.arg(format!("uml_dir={}", results.join("uml").display()));
        command.arg(format!("capstan_rig={}", machine.rig.display())).arg(format!("capstan_share={}", share.display()));
        for (index, disk) in disks(job, results).iter().enumerate() {
            command.arg(format!("ubd{index}={}", disk.display()));
        }
        command.arg(format!("capstan_job={}", job.file)).env("TMPDIR", memory_directory(&job.memory, results));
        let log = File::create(results.join("kernel.log"))?;
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let output = process.stdout.take().context("no console")?;
        let file = File::create(results.join("console.log"))?;
        let console = Some(thread::spawn(move || copy_console(output, file)));
        Ok(Self { process, end: None, console, results: results.to_owned() })
    }

    /// Whether it has ended.
    pub(super) fn ended(&mut self) -> Result<bool> {
        self.end = self.process.try_wait()?;
        Ok(self.end.is_some())
    }

    /// The job's exit status. A guest that left none did not get to the end of the job.
    pub(super) fn status(mut self) -> Result<i32> {
        self.join_console();
        let console = fs::read_to_string(self.results.join("console.log")).unwrap_or_default();
        if !console.lines().any(begins_job) {
            let log = self.results.join("kernel.log");
            bail!("User Mode Linux does not come up on this machine:\n{}", super::trial::tail(&log, 15));
        }
        let Ok(status) = fs::read_to_string(self.results.join("share/status")) else {
            // A signal here is the host's doing: what goes wrong inside is on the console.
            let end = self.end.map_or_else(|| "no status".to_owned(), |end| end.to_string());
            bail!("the guest died before the job ended ({end})");
        };
        Ok(status.trim().parse()?)
    }

    fn join_console(&mut self) {
        if let Some(console) = self.console.take() {
            // The thread only copies lines: there is no result to look at.
            let _ = console.join();
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.join_console();
    }
}

fn copy_console(output: ChildStdout, mut file: File) {
    let mut job = false;
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        job = job || begins_job(&line);
        if job {
            println!("    {line}");
        }
        // A full disk shows itself elsewhere; the console must be drained all the same.
        let _ = writeln!(file, "{line}");
    }
}

/// What `guest/init.sh` prints before the job; the lines above are the kernel's.
fn begins_job(line: &str) -> bool {
    line.starts_with("--- Linux ")
}

/// Where the guest's memory lies: in a file, on tmpfs if there is room, for a full tmpfs would kill the guest.
fn memory_directory(memory: &str, results: &Path) -> PathBuf {
    let free = process::output(&mut process::command(&["df", "--output=avail", "--block-size=1M", "/dev/shm"])).ok();
    let free: Option<u64> = free.and_then(|text| text.lines().nth(1)?.trim().parse().ok());
    match (free, mebibytes(memory)) {
        (Some(free), Some(needed)) if free > needed => PathBuf::from("/dev/shm"),
        _ => results.to_owned(),
    }
}

/// A size as the kernel wants it, in MiB.
pub(super) fn mebibytes(size: &str) -> Option<u64> {
    match size.strip_suffix('G') {
        Some(gibibytes) => gibibytes.parse::<u64>().ok()?.checked_mul(1024),
        None => size.strip_suffix('M')?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_as_the_kernel_wants_it() {
        assert_eq!(mebibytes("2G"), Some(2048));
        assert_eq!(mebibytes("512M"), Some(512));
        assert_eq!(mebibytes("512"), None);
    }
}
