//! `capstan library`

mod import;
mod load;
mod r#move;
mod show;
mod unload;

use capstan_api::Moved;
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;

/// Slots and drives: show them, move cartridges between them
#[derive(Args)]
pub(crate) struct Library {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Show),
    Load(load::Load),
    Unload(unload::Unload),
    Move(r#move::Move),
    Import(import::Import),
}

impl Library {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Show(command) => command.run(globals).await,
            Command::Load(command) => command.run(globals).await,
            Command::Unload(command) => command.run(globals).await,
            Command::Move(command) => command.run(globals).await,
            Command::Import(command) => command.run(globals).await,
        }
    }
}

/// What a move did, for people.
fn sentence(moved: &Moved) -> String {
    format!("{}: {} -> {}\n", moved.barcode, moved.from, moved.to)
}
