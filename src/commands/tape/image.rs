//! What exporting and importing have in common.

use std::path::Path;

use capstan_api::{Client, Job, JobState};

use crate::cli::Globals;
use crate::commands::job::{self, watch};
use crate::failure::{Exit, Failure};

/// A path as the daemon needs it, which may have another working directory.
pub(super) fn absolute(file: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(file)
        .map_err(|error| Failure::new(Exit::Usage, format!("{} is no path", file.display())).why(error.to_string()))?;
    path.into_os_string().into_string().map_err(|path| {
        Failure::new(Exit::Usage, format!("{} is not UTF-8", Path::new(&path).display()))
            .next("give it a name that is, or go there by a directory with such a name")
    })
}

/// Waits for the end of a job that this command began, unless it shall not.
pub(super) async fn follow(globals: &Globals, client: &Client, job: Job) -> Result<(), Failure> {
    if globals.no_wait {
        globals.answer(&job, |job| job::table(std::slice::from_ref(job)));
        return Ok(());
    }
    let (id, mut interrupts) = (job.id, watch::Interrupts::take()?);
    let job = match watch::ended_unless(client, job, &mut interrupts).await? {
        Some(job) => job,
        // One that had come to its end by then is not cancelled any more.
        None => watch::ended(client, client.job(id).await?).await?,
    };
    globals.answer(&job, |job| job::table(std::slice::from_ref(job)));
    let failure = match (job.state, &job.transferred) {
        (JobState::Done, Some(transfer)) if transfer.errors > 0 && job.kind == "export" => {
            Failure::failed(format!("{} of its objects could not be read", transfer.errors))
                .next("the file marks them; docs/recovery.md says what can be done")
        }
        (JobState::Done, _) => return Ok(()),
        (JobState::Cancelled, _) => Failure::failed(format!("the {} was cancelled", job.kind)),
        (_, _) => Failure::failed(format!("the {} failed", job.kind)).why(job.why.unwrap_or_default()),
    };
    Err(if globals.json { failure.told() } else { failure })
}
