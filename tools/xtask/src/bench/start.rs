//! How long a library with many cartridges takes to start: until its portal answers a login.

use std::fs;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::Bench;
use super::results::Cell;
use super::subject::{free_address, target};
use crate::daemon::{Daemon, Home};
use crate::program::{Program, expect};

/// Those that a first start makes.
const FIRST: u32 = 10;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let measured = measure(bench);
    bench.directory.fresh()?;
    if let Err(error) = measured {
        bench.results.absent(format!("start: {error:#}"));
    }
    Ok(())
}

fn measure(bench: &mut Bench) -> Result<()> {
    let directory = bench.directory.fresh()?;
    let cartridges = bench.options.cartridges.max(FIRST);
    let config = directory.join("capstan.toml");
    fs::write(&config, format!("[library]\nslots = {cartridges}\n"))?;
    let mut home = Home::new(&bench.programs.capstan, &directory);
    home.config = Some(config);
    let daemon = home.start()?;
    println!("start: a library of {cartridges} cartridges is made");
    if cartridges > FIRST {
        home.ask(&["tape", "create", "--count", &(cartridges - FIRST).to_string()])?;
    }
    daemon.stop()?;
    for _ in 0..bench.options.repeat {
        for (state, forget) in [("cold", true), ("warm", false)] {
            if forget {
                bench.directory.forget()?;
            }
            home.listen = free_address()?;
            let milliseconds = once(bench, &home).with_context(|| state.to_owned())?;
            let line = format!("{cartridges} cartridges, {state}");
            bench.results.add(Cell { table: "start", line: &line, unit: "ms", column: "capstan" }, milliseconds);
        }
    }
    Ok(())
}

fn once(bench: &Bench, home: &Home) -> Result<f64> {
    let mut command = Command::new(&bench.programs.load);
    command.args(["login", "--portal", &home.listen, "--target", &target(0)]);
    let mut login = Program::start(&mut command)?;
    expect(&login.step()?, "ready")?;
    let start = Instant::now();
    let daemon = home.spawn()?;
    expect(&login.step()?, "answered")?;
    let took = start.elapsed();
    login.end()?;
    Daemon::ready(daemon)?.stop()?;
    Ok(took.as_secs_f64() * 1000.0)
}
