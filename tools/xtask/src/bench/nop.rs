//! How long a NOP takes while nine drives write and the disk is busy: a host that gets no answer gives the session up.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::case::Case;
use super::client::{Client, Share};
use super::disk::Counters;
use super::quiet;
use super::results::{Cell, Results};
use super::statistics::percentile;
use super::subject::{Server, Subject};
use crate::program::{Program, expect};

/// The drive that is pinged is the last one; the others write.
const DRIVES: u32 = 10;
const PINGS: u32 = 1000;
const CASE: Case = Case { drives: DRIVES, block: 1 << 20, fixed: 0, digests: false };
/// Until the load is what it will be.
const WARM_UP: Duration = Duration::from_secs(2);

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let takes_part = |subject: &Subject| matches!(subject, Subject::Capstan | Subject::Tgt | Subject::Null);
    let subjects: Vec<Subject> = bench.options.only.iter().copied().filter(takes_part).collect();
    for repetition in 0..bench.options.repeat {
        for subject in &subjects {
            println!("{} of {}: nop: {}", repetition + 1, bench.options.repeat, subject.name());
            let directory = bench.directory.fresh()?;
            let started = subject.start(&bench.programs, &directory, DRIVES);
            let measured = started.and_then(|server| {
                measure(bench, subject.name(), &server, &directory)?;
                server.stop()
            });
            bench.directory.fresh()?;
            if let Err(error) = measured {
                let cell = Cell { table: "nop", line: "busy, p50", unit: "us", column: subject.name() };
                bench.results.fail(cell, &format!("{error:#}"));
            }
        }
    }
    Ok(())
}

fn measure(bench: &mut Bench, column: &str, server: &Server, directory: &Path) -> Result<()> {
    let bytes = bench.options.bytes / u64::from(DRIVES) / u64::from(CASE.block) * u64::from(CASE.block);
    let share = Share { case: CASE, bytes, seed: bench.options.seed };
    let clients: Result<Vec<_>> =
        (0..DRIVES).map(|number| Client::start(&bench.programs.load, server, number, share)).collect();
    let mut writers = clients?;
    for client in &mut writers {
        client.ready()?;
    }
    let mut pinged = writers.pop().context("there is no drive to ping")?;
    quiet::wait(&mut bench.results)?;
    let idle = pinged.ask(&format!("ping {PINGS}"))?;
    record(&mut bench.results, column, "idle", &idle)?;
    let saturation = Saturation::begin(&bench.programs.load, directory, bench.options.bytes)?;
    for client in &mut writers {
        client.tell("flood")?;
        client.done("flooding")?;
    }
    sleep(WARM_UP);
    let (start, before) = (Instant::now(), Counters::read(directory));
    let busy = pinged.ask(&format!("ping {PINGS}"))?;
    let after = Counters::read(directory);
    record(&mut bench.results, column, "busy", &busy)?;
    match before.and_then(|before| Ok(after?.since(&before, start.elapsed().as_secs_f64()))) {
        Ok((written, share)) => {
            let mut add = |line, unit, value| bench.results.add(Cell { table: "nop", line, unit, column }, value);
            add("busy, the disk writes", "MiB/s", written);
            add("busy, the disk works", "% of the time", share);
        }
        Err(error) => bench.results.note(format!("nop: how busy the disk was is not known: {error:#}")),
    }
    for client in &mut writers {
        client.tell("stop")?;
        client.done("done")?;
    }
    saturation.end()?;
    writers.into_iter().chain([pinged]).try_for_each(Client::end)
}

fn record(results: &mut Results, column: &str, state: &str, done: &Value) -> Result<()> {
    let times = done.get("pings").and_then(Value::as_array).context("the client has not pinged")?;
    let times: Vec<f64> = times.iter().filter_map(Value::as_f64).collect();
    for (name, percent) in [("p50", 50), ("p99", 99), ("max", 100)] {
        let value = percentile(&times, percent).context("no ping came back")?;
        results.add(Cell { table: "nop", line: &format!("{state}, {name}"), unit: "us", column }, value);
    }
    Ok(())
}

/// The process that keeps the disk busy.
struct Saturation(Program);

impl Saturation {
    fn begin(load: &Path, directory: &Path, bytes: u64) -> Result<Self> {
        let mut command = Command::new(load);
        command.arg("saturate").arg("--file").arg(directory.join("saturation"));
        let mut program = Program::start(command.args(["--bytes", &bytes.to_string()]))?;
        expect(&program.step()?, "ready")?;
        Ok(Self(program))
    }

    fn end(mut self) -> Result<()> {
        self.0.tell("stop")?;
        expect(&self.0.step()?, "saturated")?;
        self.0.end()
    }
}
