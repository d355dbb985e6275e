//! `capstan key list`

use clap::Args;

use super::page;
use crate::cli::Globals;
use crate::failure::Failure;

/// Show which key wraps those of the cartridges, and how many there are of each
#[derive(Args)]
#[command(after_help = "Only identifiers of keys are shown. What they are: docs/format/object-v1.md.")]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        globals.answer(&globals.client().await?.keys().await?, page);
        Ok(())
    }
}
