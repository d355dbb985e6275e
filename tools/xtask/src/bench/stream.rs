//! iperf3: one TCP stream over loopback, for orientation.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::results::Cell;
use super::subject::free_address;
use crate::process;
use crate::program::Program;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    if !process::installed("iperf3") {
        bench.results.note("iperf3 is not installed: no row of it (Debian: apt install iperf3)".into());
        return Ok(());
    }
    for _ in 0..bench.options.repeat {
        let cell = Cell { table: "iperf", line: "1 stream", unit: "MiB/s", column: "iperf3" };
        match once(bench.options.bytes) {
            Ok(rate) => bench.results.add(cell, rate),
            Err(error) => bench.results.fail(cell, &format!("{error:#}")),
        }
    }
    Ok(())
}

fn once(bytes: u64) -> Result<f64> {
    let address = free_address()?;
    let (host, port) = address.rsplit_once(':').context("an address without a port")?;
    let _server =
        Program::start(Command::new("iperf3").args(["--server", "--one-off", "--bind", host, "--port", port]))?;
    sleep(Duration::from_millis(300));
    let mut client = process::command(&["iperf3", "--client", host, "--port", port, "--json"]);
    let answer: Value = serde_json::from_str(&process::output(client.args(["--bytes", &bytes.to_string()]))?)?;
    let rate = answer.pointer("/end/sum_received/bits_per_second").and_then(Value::as_f64);
    Ok(rate.context("iperf3 says no rate")? / 8.0 / 1_048_576.0)
}
