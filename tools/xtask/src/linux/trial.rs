//! One job from a fresh daemon to a verdict.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::daemon::Daemon;
use super::desk::Desk;
use super::guest::Guest;
use super::job::Job;
use super::machine::Machine;
use super::namespace::Namespace;
use super::server::Server;
use super::supplies::{Supplies, disks};

/// Whether the job passed. On failure the ends of the logs are printed.
pub(super) fn run(machine: &Machine, supplies: &Supplies, job: &Job) -> Result<bool> {
    let results = machine.results.join(&job.name);
    if results.exists() {
        fs::remove_dir_all(&results).with_context(|| results.display().to_string())?;
    }
    fs::create_dir_all(&results)?;
    let verdict = attempt(machine, supplies, job, &results);
    if let Err(error) = &verdict {
        println!("FAILED: {error:#}");
        for log in ["kernel.log", "daemon.log", "server.log"] {
            println!("--- the end of {}\n{}", results.join(log).display(), tail(&results.join(log), 20));
        }
    }
    if !machine.keep {
        for directory in ["state", "server"] {
            remove(&results.join(directory))?;
        }
        for disk in disks(job, &results).iter().filter(|disk| disk.exists()) {
            fs::remove_file(disk).with_context(|| disk.display().to_string())?;
        }
    }
    Ok(verdict.is_ok())
}

fn attempt(machine: &Machine, supplies: &Supplies, job: &Job, results: &Path) -> Result<()> {
    supplies.provide(job, results)?;
    let namespace = Namespace::create()?;
    let mut daemon = if job.needs_daemon() {
        let mut daemon = Daemon::new(&namespace, &supplies.capstan, results, job.tape_size.as_deref())?;
        if job.started {
            daemon.start()?;
        }
        Some(daemon)
    } else {
        None
    };
    let mut server = Server::new(&namespace, machine.form.server, results);
    let guest = Guest::boot(machine, &namespace, job, results)?;
    let desk = Desk::new(&results.join("share"));
    let status = watch(guest, job.timeout(machine.form.full), &desk, daemon.as_mut(), &mut server)?;
    if status != 0 {
        bail!("the job ended with status {status}");
    }
    daemon.as_mut().map_or(Ok(()), Daemon::finish)
}

/// Serves the guest's requests until it ends or its time is up.
fn watch(
    mut guest: Guest,
    timeout: Duration,
    desk: &Desk,
    mut daemon: Option<&mut Daemon<'_>>,
    server: &mut Server<'_>,
) -> Result<i32> {
    let deadline = Instant::now() + timeout;
    while !guest.ended()? {
        if Instant::now() > deadline {
            bail!("not done within {} s", timeout.as_secs());
        }
        if let Some(daemon) = daemon.as_deref_mut() {
            daemon.alive()?;
        }
        desk.serve(daemon.as_deref_mut(), server)?;
        sleep(Duration::from_millis(20));
    }
    guest.status()
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    Ok(())
}

/// The last lines of a file, for a message.
pub(super) fn tail(file: &Path, lines: usize) -> String {
    let text = fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(lines).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
