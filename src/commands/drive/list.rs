//! `capstan drive list`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// List all drives
#[derive(Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let drives = globals.client().await?.drives().await?;
        globals.answer(&drives, |drives| table(drives));
        Ok(())
    }
}
