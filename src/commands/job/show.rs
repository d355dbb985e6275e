//! `capstan job show`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::commands::tape::report_text;
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
        globals.answer(&job, |job| {
            let report = job.report.as_ref().map(|report| report_text(&job.barcode, report)).unwrap_or_default();
            table(std::slice::from_ref(job)) + &report
        });
        Ok(())
    }
}
