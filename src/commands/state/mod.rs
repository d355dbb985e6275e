//! `capstan state`

mod document;
mod export;
mod import;

use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;

/// The library without its cartridges: carry it to another machine
#[derive(Args)]
pub(crate) struct State {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Export(export::Export),
    Import(import::Import),
}

impl State {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Export(command) => command.run(globals).await,
            Command::Import(command) => command.run(globals),
        }
    }
}
