//! LOCATE on a tape of many small blocks: what an index is for.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::case::Case;
use super::client::{Client, Share};
use super::results::{Cell, Results};
use super::statistics::summary;
use super::subject::{Server, load_drives, server};
use crate::daemon::Home;

/// Of one block, bytes.
const LENGTH: u32 = 64;
/// As many as make this long a command.
const CASE: Case = Case { drives: 1, block: 1 << 20, fixed: LENGTH, digests: false };
/// After the first one.
const WARM: u32 = 20;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let measured = measure(bench);
    bench.directory.fresh()?;
    if let Err(error) = measured {
        bench.results.absent(format!("locate: {error:#}"));
    }
    Ok(())
}

fn measure(bench: &mut Bench) -> Result<()> {
    let home = Home::new(&bench.programs.capstan, &bench.directory.fresh()?);
    let blocks = bench.options.blocks;
    let bytes = (blocks * u64::from(LENGTH)).next_multiple_of(u64::from(CASE.block));
    let share = Share { case: CASE, bytes, seed: bench.options.seed };
    println!("locate: {blocks} blocks of {LENGTH} bytes are written");
    let first = server(home.start()?);
    load_drives(&home, 1)?;
    let mut client = connect(bench, &first, share)?;
    let took = client.ask("write")?;
    client.ask("rewind")?;
    client.end()?;
    first.stop()?;
    let seconds = took.get("microseconds").and_then(Value::as_f64).unwrap_or_default() / 1e6;
    bench.results.note(format!("locate: the tape has {blocks} blocks of {LENGTH} bytes, written in {seconds:.1} s"));
    let mut places = Places(bench.options.seed);
    for repetition in 0..bench.options.repeat {
        println!("{} of {}: locate", repetition + 1, bench.options.repeat);
        bench.directory.forget()?;
        let start = Instant::now();
        let again = server(home.start()?);
        let cell = Cell { table: "locate", line: "start of the daemon, cold", unit: "us", column: "capstan" };
        bench.results.add(cell, start.elapsed().as_secs_f64() * 1e6);
        let mut client = connect(bench, &again, share)?;
        let cold = client.ask(&format!("locate {}", places.below(blocks)))?;
        record(&mut bench.results, "cold", &[cold])?;
        let warm: Result<Vec<_>> = (0..WARM).map(|_| client.ask(&format!("locate {}", places.below(blocks)))).collect();
        record(&mut bench.results, "warm", &warm?)?;
        client.end()?;
        again.stop()?;
    }
    Ok(())
}

fn connect(bench: &Bench, server: &Server, share: Share) -> Result<Client> {
    let mut client = Client::start(&bench.programs.load, server, 0, share)?;
    client.ready()?;
    Ok(client)
}

/// A repetition counts with its median.
fn record(results: &mut Results, state: &str, found: &[Value]) -> Result<()> {
    for (field, what) in [("locate", "LOCATE"), ("read", "READ there")] {
        let times: Vec<f64> = found.iter().filter_map(|done| done.get(field)?.as_f64()).collect();
        let median = summary(&times).context("the client has not located")?.median;
        let line = format!("{what}, {state}");
        results.add(Cell { table: "locate", line: &line, unit: "us", column: "capstan" }, median);
    }
    Ok(())
}

/// Where to go next: a splitmix64 generator.
struct Places(u64);

impl Places {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(limit).unwrap_or(0)
    }
}
