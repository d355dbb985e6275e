//! `capstan job list`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// List all jobs: those that wait, those that run, those that ended not long ago
#[derive(Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let jobs = globals.client().await?.jobs().await?;
        globals.answer(&jobs, |jobs| if jobs.is_empty() { "There are no jobs.".into() } else { table(jobs) });
        Ok(())
    }
}
