//! `capstan job show`

use clap::Args;

use super::page;
use crate::cli::Globals;
use crate::failure::Failure;

/// Show a job and what it found
#[derive(Args)]
pub(super) struct Show {
    /// Which job
    id: u64,
}

impl Show {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let job = globals.client().await?.job(self.id).await?;
        globals.answer(&job, page);
        Ok(())
    }
}
