//! `capstan tape stage`

use capstan_api::{Client, Job, JobState, StageTape};
use capstan_media::Barcode;
use clap::Args;

use super::{Barcodes, table};
use crate::cli::Globals;
use crate::commands::job::{self, watch};
use crate::failure::Failure;

/// Bring all of a cartridge into the cache
#[derive(Args)]
#[command(after_help = "\
What of a cartridge is only in the tier is fetched in the background; drives and robot do not wait for it, and a
cartridge in a drive is staged too. A pinned cartridge stays in the cache, also after a restart, until it is unpinned.
Ctrl-C cancels; what is there by then stays. Exit code 1 if not all was staged.

Examples:
  capstan tape stage CAP001L8 CAP002L8
  capstan tape stage CAP001L8 --pin --no-wait
  capstan tape stage CAP001L8 --unpin")]
pub(super) struct Stage {
    #[command(flatten)]
    which: Barcodes,
    /// Keep them there
    #[arg(long)]
    pin: bool,
    /// Stage nothing, but let them be evicted again
    #[arg(long, conflicts_with = "pin")]
    unpin: bool,
}

impl Stage {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        if self.unpin {
            return unpin(globals, &client, &self.which.barcodes).await;
        }
        let jobs = self.stage(&client, globals.no_wait).await?;
        globals.answer(&jobs, |jobs| job::table(jobs));
        if globals.no_wait || jobs.iter().all(|job| job.state == JobState::Done) {
            return Ok(());
        }
        let failure = Failure::failed("not all was staged");
        Err(if globals.json { failure.told() } else { failure })
    }

    /// One after the other, as the daemon does it.
    async fn stage(&self, client: &Client, no_wait: bool) -> Result<Vec<Job>, Failure> {
        let request = StageTape { pin: self.pin.then_some(true) };
        let mut interrupts = watch::Interrupts::take()?;
        let mut jobs = Vec::new();
        for barcode in &self.which.barcodes {
            let Some(job) = client.stage_tape(barcode, &request).await?.job else { continue };
            if no_wait {
                jobs.push(job);
                continue;
            }
            let id = job.id;
            match watch::ended_unless(client, job, &mut interrupts).await? {
                Some(job) => jobs.push(job),
                None => {
                    jobs.push(client.job(id).await?);
                    break;
                }
            }
        }
        Ok(jobs)
    }
}

async fn unpin(globals: &Globals, client: &Client, barcodes: &[Barcode]) -> Result<(), Failure> {
    let mut tapes = Vec::new();
    for barcode in barcodes {
        tapes.push(client.stage_tape(barcode, &StageTape { pin: Some(false) }).await?.tape);
    }
    globals.answer(&tapes, |tapes| table(tapes));
    Ok(())
}
