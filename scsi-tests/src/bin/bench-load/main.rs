//! `bench-load`: the client of the benchmark, and the bare limit that targets are compared with. See `options`.
//!
//! `cargo xtask bench` runs one process for each drive and tells it on standard input what to do, a word a line; each
//! answers with a line of JSON. So the clock is in one place, and what a client needs is ready before the clock starts.

// A program for another program to read: its output is the point of it.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod bare;
mod blocks;
mod options;
mod order;
mod pace;
mod reach;
mod saturate;
mod tape;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use serde_json::{Value, json};

use options::{Options, Part};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&json!({ "failed": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    match &options.part {
        Part::Tape(part) => tape::run(part),
        Part::Bare(part) => bare::client::run(part),
        Part::BareServer(part) => bare::server::run(part),
        Part::Login(part) => reach::run(part),
        Part::Saturate(part) => saturate::run(part),
    }
}

/// One line of JSON; nobody may be listening any more.
fn say(step: &Value) {
    println!("{step}");
}
