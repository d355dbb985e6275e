//! `capstan tier list`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// List all tiers
#[derive(Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let tiers = globals.client().await?.tiers().await?;
        globals.answer(&tiers, |tiers| table(tiers));
        Ok(())
    }
}
