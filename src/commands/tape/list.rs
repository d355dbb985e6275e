//! `capstan tape list`

use clap::Args;

use capstan_api::ForeignTape;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// List all cartridges
#[derive(Args)]
pub(super) struct List {
    /// Those of other gateways on the same tier
    #[arg(long)]
    foreign: bool,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if self.foreign {
            return foreign(globals).await;
        }
        let tapes = globals.client().await?.tapes().await?;
        globals.answer(&tapes, |tapes| {
            if tapes.is_empty() {
                "There are no cartridges: `capstan tape create` makes some.".into()
            } else {
                table(tapes)
            }
        });
        Ok(())
    }
}

async fn foreign(globals: &Globals) -> Result<(), Failure> {
    let tapes = globals.client().await?.foreign_tapes().await?;
    globals.answer(&tapes, |tapes| {
        if tapes.is_empty() { "No other gateway has cartridges in the tier.".into() } else { foreign_table(tapes) }
    });
    Ok(())
}

fn foreign_table(tapes: &[ForeignTape]) -> String {
    let mut table = Table::new(&[
        ("BARCODE", Align::Left),
        ("GATEWAY", Align::Left),
        ("UUID", Align::Left),
        ("SIZE", Align::Right),
        ("USED", Align::Right),
        ("LAST SHIPPED", Align::Left),
        ("GIVEN AWAY", Align::Left),
    ]);
    for tape in tapes {
        table.row([
            tape.barcode.clone(),
            tape.owner_name.clone().unwrap_or_default(),
            tape.owner.clone(),
            output::size(tape.size),
            output::size(tape.used),
            output::utc(tape.written),
            match (&tape.handed_over_to, tape.handed_over) {
                (Some(to), _) => format!("to {to}"),
                (None, true) => "yes".to_owned(),
                (None, false) => String::new(),
            },
        ]);
    }
    table.to_string()
}
