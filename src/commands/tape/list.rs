//! `capstan tape list`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// List all cartridges
#[derive(Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
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
