//! `capstan session`

mod drop;
mod list;

use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;

/// iSCSI sessions of backup hosts
#[derive(Args)]
pub(crate) struct Session {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Drop(drop::Drop),
}

impl Session {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Drop(command) => command.run(globals).await,
        }
    }
}
