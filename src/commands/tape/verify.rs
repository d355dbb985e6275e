//! `capstan tape verify`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use capstan_api::{Client, ClientError, ErrorKind, Job, JobState, Verification};
use capstan_disk::{Disk, RealDisk};
use capstan_library::{VerifyOptions, verify_offline};
use capstan_media::Barcode;
use clap::Args;
use serde::Serialize;

use crate::cli::Globals;
use crate::commands::job;
use crate::commands::job::watch::{self, INTERRUPTED, Interrupts, PERIOD};
use crate::failure::Failure;
use crate::output;

/// Read all of a cartridge and say what is damaged
#[derive(Args)]
#[command(after_help = "\
Every file is read and every checksum verified, in the background: drives and robot do not wait for it. A cartridge in a
drive is not verified; one that is loaded meanwhile is no longer. Ctrl-C cancels. Exit code 1 if anything is damaged.")]
pub(super) struct Verify {
    /// Which cartridges
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = super::super::barcode, value_name = "BARCODE")]
    barcodes: Vec<Barcode>,
    /// All that are not in a drive
    #[arg(long)]
    all: bool,
    /// Without the daemon, which must not run: the directory of everything that is kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// What became of one cartridge.
#[derive(Serialize)]
struct Outcome {
    barcode: String,
    result: Outcomes,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Verification>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcomes {
    Good,
    Damaged,
    /// It is in a drive, and all were asked for.
    Skipped,
    /// It could not be verified.
    Failed,
    Cancelled,
}

impl Verify {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if globals.no_wait && self.state.is_none() {
            return self.begin(globals).await;
        }
        let outcomes = match &self.state {
            Some(state) => self.offline(state.clone())?,
            None => self.online(&globals.client().await?).await?,
        };
        globals.answer(&outcomes, |outcomes| text(outcomes));
        let number = |which: &[Outcomes]| outcomes.iter().filter(|one| which.contains(&one.result)).count();
        let failure = match (number(&[Outcomes::Damaged]), number(&[Outcomes::Failed, Outcomes::Cancelled])) {
            (0, 0) => return Ok(()),
            (0, _) => Failure::failed("not all was verified"),
            (_, _) => Failure::failed("damage was found").next("docs/recovery.md says what can be done"),
        };
        Err(if globals.json { failure.told() } else { failure })
    }

    async fn online(&self, client: &Client) -> Result<Vec<Outcome>, Failure> {
        let (barcodes, mut outcomes) = self.chosen(client).await?;
        let mut interrupts = Interrupts::take()?;
        for barcode in barcodes {
            let outcome = verify_one(client, &barcode, &mut interrupts).await?;
            let cancelled = outcome.result == Outcomes::Cancelled && outcome.why.as_deref() == Some(INTERRUPTED);
            outcomes.push(outcome);
            if cancelled {
                break;
            }
        }
        outcomes.sort_by(|one, other| one.barcode.cmp(&other.barcode));
        Ok(outcomes)
    }

    /// Begins the jobs, and leaves them alone.
    async fn begin(&self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let mut jobs = Vec::new();
        for barcode in self.chosen(&client).await?.0 {
            jobs.push(client.verify_tape(&barcode).await?);
        }
        globals.answer(&jobs, |jobs| job::table(jobs));
        Ok(())
    }

    /// The cartridges, and those that are not verified since they are in a drive.
    async fn chosen(&self, client: &Client) -> Result<(Vec<Barcode>, Vec<Outcome>), Failure> {
        let mut outcomes = Vec::new();
        let mut barcodes = self.barcodes.clone();
        if self.all {
            for tape in client.tapes().await? {
                match tape.location.filter(|location| location.starts_with("drive:")) {
                    Some(drive) => {
                        outcomes.push(Outcome::new(&tape.barcode, Outcomes::Skipped, format!("it is in {drive}")));
                    }
                    None => barcodes.extend(Barcode::new(&tape.barcode).ok()),
                }
            }
        }
        Ok((barcodes, outcomes))
    }

    fn offline(&self, state_dir: PathBuf) -> Result<Vec<Outcome>, Failure> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let options = VerifyOptions { state_dir, cartridge_dir: None, cache_dir: None };
        let mut shown = Instant::now();
        let mut watch = |name: &str, progress: capstan_library::Progress| {
            if shown.elapsed() >= PERIOD {
                shown = Instant::now();
                output::progress(&watch::line(name, progress.done, progress.total));
            }
            ControlFlow::Continue(())
        };
        let barcodes = (!self.all).then_some(self.barcodes.as_slice());
        let verified = verify_offline(&options, barcodes, &disk, &mut watch);
        output::progress("");
        let verified = verified
            .map_err(|error| Failure::failed("nothing was verified").why(error.to_string()).next(error.next()))?;
        let outcome = |one: &capstan_library::Verification| {
            let name = one.barcode.as_ref().map_or_else(|| one.cartridge.to_string(), ToString::to_string);
            match &one.report {
                Ok(report) => Outcome::found(&name, capstan_admin::verification(report)),
                Err(why) => Outcome::new(&name, Outcomes::Failed, why.clone()),
            }
        };
        Ok(verified.iter().map(outcome).collect())
    }
}

/// Begins a job, waits for its end, and ends it if the command is interrupted.
async fn verify_one(client: &Client, barcode: &Barcode, interrupts: &mut Interrupts) -> Result<Outcome, Failure> {
    let job = match client.verify_tape(barcode).await {
        Ok(job) => job,
        // It is in a drive, or such: the others are verified all the same.
        Err(ClientError::Failure(failure)) if failure.kind == ErrorKind::Conflict => {
            return Ok(Outcome::new(barcode.as_str(), Outcomes::Failed, failure.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match watch::ended_unless(client, job, interrupts).await? {
        Some(job) => Outcome::of(job),
        None => Outcome::new(barcode.as_str(), Outcomes::Cancelled, INTERRUPTED.to_owned()),
    })
}

impl Outcome {
    fn new(barcode: &str, result: Outcomes, why: String) -> Self {
        Self { barcode: barcode.to_owned(), result, why: Some(why), report: None }
    }

    fn found(barcode: &str, report: Verification) -> Self {
        let result = if report.good { Outcomes::Good } else { Outcomes::Damaged };
        Self { barcode: barcode.to_owned(), result, why: None, report: Some(report) }
    }

    fn of(job: Job) -> Self {
        match (job.report, job.state) {
            (Some(report), _) => Self::found(&job.barcode, report),
            (None, JobState::Cancelled) => Self::new(&job.barcode, Outcomes::Cancelled, job.why.unwrap_or_default()),
            (None, _) => Self::new(&job.barcode, Outcomes::Failed, job.why.unwrap_or_default()),
        }
    }
}

fn text(outcomes: &[Outcome]) -> String {
    let one = |outcome: &Outcome| {
        let why = outcome.why.as_deref().unwrap_or_default();
        match (&outcome.report, outcome.result) {
            (Some(report), _) => super::report_text(&outcome.barcode, report),
            (None, Outcomes::Skipped) => format!("{}  skipped: {why}\n", outcome.barcode),
            (None, Outcomes::Cancelled) => format!("{}  cancelled: {why}\n", outcome.barcode),
            (None, _) => format!("{}  not verified: {why}\n", outcome.barcode),
        }
    };
    let text: String = outcomes.iter().map(one).collect();
    if text.is_empty() { "There are no cartridges.\n".to_owned() } else { text }
}
