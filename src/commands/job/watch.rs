//! Waiting for the end of a job, with a line on the terminal that shows how far it is.

use std::time::Duration;

use capstan_api::{Client, Job};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::output;

/// How often a job is asked for, and how often a line is shown anew.
pub(crate) const PERIOD: Duration = Duration::from_millis(200);

/// Why a job that a command began was ended by it.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Interrupts of the command: Ctrl-C ends what it began.
pub(crate) struct Interrupts(Signal);

impl Interrupts {
    /// From now on they no longer end the process.
    pub(crate) fn take() -> Result<Self, Failure> {
        let interrupts = signal(SignalKind::interrupt());
        Ok(Self(interrupts.map_err(|error| Failure::failed("no signals").why(error.to_string()))?))
    }
}

/// Waits for the end of a job.
pub(crate) async fn ended(client: &Client, mut job: Job) -> Result<Job, Failure> {
    let mut asked = 0_u32;
    while !job.state.is_ended() {
        // A small cartridge is done at once.
        let pause = if asked < 10 { PERIOD / 10 } else { PERIOD };
        asked = asked.saturating_add(1);
        output::progress(&line(&job.barcode, job.done_bytes, job.total_bytes));
        tokio::time::sleep(pause).await;
        job = client.job(job.id).await?;
    }
    output::progress("");
    Ok(job)
}

/// Waits for the end of a job that this command began, and ends it if the command is interrupted: `None` says so.
pub(crate) async fn ended_unless(
    client: &Client,
    job: Job,
    interrupts: &mut Interrupts,
) -> Result<Option<Job>, Failure> {
    let id = job.id;
    tokio::select! {
        ended = ended(client, job) => Ok(Some(ended?)),
        _ = interrupts.0.recv() => {
            output::progress("");
            client.cancel_job(id).await?;
            Ok(None)
        }
    }
}

/// A line that shows how far it is.
pub(crate) fn line(name: &str, done: u64, total: u64) -> String {
    format!("{name}  {} %  {} of {}", output::percent(done, total), output::size(done), output::size(total))
}
