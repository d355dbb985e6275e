//! `capstan drive`

mod list;
mod show;

use capstan_api::Drive as Answer;
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Drives: what they hold and have done
#[derive(Args)]
pub(crate) struct Drive {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
}

impl Drive {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Show(command) => command.run(globals).await,
        }
    }
}

/// Drives for people.
pub(crate) fn table(drives: &[Answer]) -> String {
    let columns = [
        ("DRIVE", Align::Right),
        ("STATE", Align::Left),
        ("TAPE", Align::Left),
        ("WRITTEN", Align::Right),
        ("READ", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for drive in drives {
        table.row([
            drive.index.to_string(),
            drive.state.to_string(),
            drive.barcode.clone().unwrap_or_default(),
            output::size(drive.write_bytes),
            output::size(drive.read_bytes),
        ]);
    }
    table.to_string()
}
