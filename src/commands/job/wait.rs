//! `capstan job wait`

use capstan_api::{Job, JobState};
use clap::Args;

use super::{page, watch};
use crate::cli::Globals;
use crate::failure::Failure;

/// Wait until a job has ended, and show what it found
#[derive(Args)]
#[command(after_help = "\
Exit code 0 if it is done, 1 if it failed or was cancelled, or found damage. Ctrl-C ends the waiting, not the job.

Example: capstan tape stage CAP001L8 --no-wait; capstan job wait 1")]
pub(super) struct Wait {
    /// Which job
    id: u64,
}

impl Wait {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let job = watch::ended(&client, client.job(self.id).await?).await?;
        globals.answer(&job, page);
        match failure(&job) {
            Some(failure) => Err(if globals.json { failure.told() } else { failure }),
            None => Ok(()),
        }
    }
}

fn failure(job: &Job) -> Option<Failure> {
    let why = job.why.clone().unwrap_or_default();
    match (job.state, &job.report) {
        (JobState::Failed, _) => Some(Failure::failed(format!("job {} failed", job.id)).why(why)),
        (JobState::Cancelled, _) => Some(Failure::failed(format!("job {} was cancelled", job.id)).why(why)),
        (_, Some(report)) if !report.good => {
            Some(Failure::failed("damage was found").next("docs/recovery.md says what can be done"))
        }
        _ => None,
    }
}
