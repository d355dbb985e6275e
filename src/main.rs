//! `capstan`: a virtual tape library.
//!
//! One binary is the daemon (`capstan serve`) and the command that administers it. This file parses, runs and turns a
//! failure into a message and an exit code; each command is a file under `commands`.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod confirm;
mod daemon;
mod demo;
mod failure;
mod output;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = cli.command else {
        output::print(&Cli::command().render_help().to_string());
        return ExitCode::SUCCESS;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime
        .map_err(|error| Failure::failed(format!("no threads can be started: {error}")))
        .and_then(|runtime| runtime.block_on(command.run(&cli.globals)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if cli.globals.json && failure.told {
                return failure.exit.into();
            }
            if cli.globals.json {
                output::json_note(&serde_json::json!({ "error": &failure }));
            } else {
                output::note(&failure.to_string());
            }
            failure.exit.into()
        }
    }
}
