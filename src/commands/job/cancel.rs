//! `capstan job cancel`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// End a job; one that has ended stays as it is
#[derive(Args)]
pub(super) struct Cancel {
    /// Which job
    id: u64,
}

impl Cancel {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let job = globals.client().await?.cancel_job(self.id).await?;
        globals.answer(&job, |job| table(std::slice::from_ref(job)));
        Ok(())
    }
}
