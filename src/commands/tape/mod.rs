//! `capstan tape`

mod adopt;
mod clone;
mod create;
mod delete;
mod erase;
mod export;
mod handover;
mod image;
mod import;
mod list;
mod protect;
mod report;
mod rollback;
mod show;
mod stage;
mod tiered;
mod verify;
mod versions;

pub(crate) use report::report_text;

use capstan_api::Tape as Answer;
use capstan_media::Barcode;
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Cartridges: make, list, protect, verify, stage, export, import, roll back, clone, hand over, adopt, erase, delete
#[derive(Args)]
pub(crate) struct Tape {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(create::Create),
    List(list::List),
    Show(show::Show),
    Delete(delete::Delete),
    Erase(erase::Erase),
    Protect(protect::Protect),
    Unprotect(protect::Unprotect),
    Verify(verify::Verify),
    Stage(stage::Stage),
    Export(export::Export),
    Import(import::Import),
    Versions(versions::Versions),
    Rollback(rollback::Rollback),
    Clone(clone::Clone),
    #[command(name = "handover")]
    HandOver(handover::HandOver),
    Adopt(adopt::Adopt),
}

impl Tape {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Create(command) => command.run(globals).await,
            Command::List(command) => command.run(globals).await,
            Command::Show(command) => command.run(globals).await,
            Command::Delete(command) => command.run(globals).await,
            Command::Erase(command) => command.run(globals).await,
            Command::Protect(command) => command.run(globals).await,
            Command::Unprotect(command) => command.run(globals).await,
            Command::Verify(command) => command.run(globals).await,
            Command::Stage(command) => command.run(globals).await,
            Command::Export(command) => command.run(globals).await,
            Command::Import(command) => command.run(globals).await,
            Command::Versions(command) => command.run(globals).await,
            Command::Rollback(command) => command.run(globals).await,
            Command::Clone(command) => command.run(globals).await,
            Command::HandOver(command) => command.run(globals).await,
            Command::Adopt(command) => command.run(globals).await,
        }
    }
}

/// Cartridges named on the command line.
#[derive(Args)]
struct Barcodes {
    /// Which cartridges
    #[arg(required = true, value_parser = super::barcode, value_name = "BARCODE")]
    barcodes: Vec<Barcode>,
}

fn table(tapes: &[Answer]) -> String {
    let columns = [
        ("BARCODE", Align::Left),
        ("STATE", Align::Left),
        ("WHERE", Align::Left),
        ("SIZE", Align::Right),
        ("USED", Align::Right),
        ("PROTECTED", Align::Left),
        ("IN TIER", Align::Left),
        ("ONLY HERE", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for tape in tapes {
        table.row([
            tape.barcode.clone(),
            tape.state.to_string(),
            tape.location.clone().unwrap_or_default(),
            output::size(tape.size),
            output::size(tape.used),
            if tape.protected { "yes".to_owned() } else { String::new() },
            tiered::cell(tape),
            if tape.unshipped_bytes > 0 { output::size(tape.unshipped_bytes) } else { String::new() },
        ]);
    }
    table.to_string()
}
