//! kill -9: the daemon dies at a random moment under load, and everything that was answered must be there.
//!
//! Now and then it dies again while it starts, before anyone could verify anything: recovery is interrupted too.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::chance::Chance;
use super::programs::Programs;
use super::record::{Death, Record};
use crate::daemon::{Daemon, Home};
use crate::program::{Program, expect};

/// About how much a cartridge holds; some hold six times as much, which is several segments.
const BUDGET: u64 = 32 << 20;
/// Kills under load, in milliseconds after the load has begun.
const UNDER_LOAD: (u64, u64) = (20, 1500);
/// How often, and how long after each other, the tier is scrubbed before it is certain that something stays there.
const SCRUBS: usize = 12;
const BETWEEN_SCRUBS: Duration = Duration::from_secs(2);
/// Kills in recovery, in milliseconds after the start.
const IN_RECOVERY: (u64, u64) = (0, 150);

/// Segments go at once, and what is in the tier does not stay here for long: so death comes in the middle of uploads, of
/// evictions and of recalls.
const CONFIG: &str = r#"
[upload_buffer]
max_unshipped_age = "2s"
[cache]
size = "64MiB"
high_water = "10%"
low_water = "1%"
free_floor = "0B"
"#;

pub(super) fn run(programs: &Programs, directory: &Path, record: &mut Record) -> Result<()> {
    let config = directory.join("capstan.toml");
    fs::write(&config, CONFIG)?;
    let home = Home { config: Some(config), ..Home::new(&programs.capstan, directory) };
    let mut chance = Chance::new(record.seed);
    let mut daemon = home.start()?;
    let mut load = begin(programs, &home, directory, &daemon, record.seed, false)?;
    expect(&load.step()?, "verified")?;
    for number in 1..=record.count {
        expect(&load.step()?, "loading")?;
        let after = chance.wait(UNDER_LOAD.0, UNDER_LOAD.1);
        daemon.kill()?;
        let answered = expect(&load.step().context("the load did not end with its connections")?, "cut")?;
        load.end()?;
        let start = Instant::now();
        let mut again = 0;
        while chance.one_in(6) {
            let mut dying = home.spawn()?;
            chance.wait(IN_RECOVERY.0, IN_RECOVERY.1);
            dying.kill()?;
            again += 1;
        }
        daemon = home.start()?;
        load = begin(programs, &home, directory, &daemon, record.seed, number == record.count)?;
        let verified = expect(&load.step()?, "verified")?;
        let tier = traffic(&home)?;
        record.death(Death { number, after, answered, again, took: start.elapsed(), verified, tier })?;
    }
    load.end()?;
    scrub(&home)?;
    finish(daemon, &home)
}

/// After a scrub nothing is in the tier that is nobody's, once nothing of older versions is on its way there any more: one
/// that is forgotten meanwhile leaves the object that was being made of it.
fn scrub(home: &Home) -> Result<()> {
    let orphans = || {
        let scrubbed: Value = serde_json::from_str(&home.ask(&["tier", "scrub", "local", "--older-than", "0s"])?)?;
        scrubbed.get("orphans").and_then(Value::as_u64).with_context(|| scrubbed.to_string())
    };
    let found = orphans()?;
    let mut left = Vec::new();
    while left.last() != Some(&0) && left.len() < SCRUBS {
        thread::sleep(BETWEEN_SCRUBS);
        left.push(orphans()?);
    }
    println!("orphans in the tier: {found}, and {left:?} after one scrub");
    ensure!(left.last() == Some(&0), "orphans are left in the tier");
    Ok(())
}

fn begin(
    programs: &Programs,
    home: &Home,
    directory: &Path,
    daemon: &Daemon,
    seed: u64,
    verify_only: bool,
) -> Result<Program> {
    let mut command = Command::new(&programs.load);
    command.args(["--portal", &daemon.portal, "--mode", "kill", "--seed", &seed.to_string()]);
    command.arg("--capstan").arg(&home.capstan).arg("--socket").arg(home.socket());
    command.args(["--budget", &BUDGET.to_string()]).arg("--journal").arg(directory.join("journal"));
    if verify_only {
        command.arg("--verify-only");
    }
    Program::start(&mut command)
}

/// Bytes that the daemon has sent to its tier and fetched from it since it started.
fn traffic(home: &Home) -> Result<(u64, u64)> {
    let tier: Value = serde_json::from_str(&home.ask(&["tier", "status", "local"])?)?;
    let bytes = |name: &str| tier.get(name).and_then(Value::as_u64).with_context(|| format!("{name} in {tier}"));
    Ok((bytes("uploaded_bytes")?, bytes("downloaded_bytes")?))
}

/// The last one ends as it should, and none of them has ever panicked.
fn finish(daemon: Daemon, home: &Home) -> Result<()> {
    daemon.stop()?;
    no_panic(&home.log)?;
    Ok(fs::remove_dir_all(&home.state)?)
}

pub(super) fn no_panic(log: &Path) -> Result<()> {
    let log = fs::read(log)?;
    let log = String::from_utf8_lossy(&log);
    match log.lines().find(|line| line.contains("panicked at")) {
        Some(line) => anyhow::bail!("the daemon panicked: {line}"),
        None => Ok(()),
    }
}
