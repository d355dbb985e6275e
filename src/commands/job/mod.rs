//! `capstan job`

mod cancel;
mod list;
mod show;
mod wait;
pub(crate) mod watch;

use capstan_api::Job as Answer;
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::commands::tape::report_text;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// What goes on in the background: list, show, wait, cancel
#[derive(Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
    Wait(wait::Wait),
    Cancel(cancel::Cancel),
}

impl Job {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Show(command) => command.run(globals).await,
            Command::Wait(command) => command.run(globals).await,
            Command::Cancel(command) => command.run(globals).await,
        }
    }
}

/// A line for each job.
pub(crate) fn table(jobs: &[Answer]) -> String {
    let columns = [
        ("ID", Align::Right),
        ("KIND", Align::Left),
        ("TAPE", Align::Left),
        ("STATE", Align::Left),
        ("DONE", Align::Right),
        ("SINCE", Align::Right),
        ("RESULT", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for job in jobs {
        table.row([
            job.id.to_string(),
            job.kind.clone(),
            job.barcode.clone(),
            job.state.to_string(),
            format!("{} %", output::percent(job.done_bytes, job.total_bytes)),
            output::age(output::since(job.created)),
            result(job),
        ]);
    }
    table.to_string()
}

/// What a job has come to.
fn result(job: &Answer) -> String {
    match (&job.report, job.staged_bytes, &job.transferred) {
        (Some(report), ..) if report.good => "good".to_owned(),
        (Some(_), ..) => "damaged".to_owned(),
        (None, Some(bytes), _) => format!("{} in the cache", output::size(bytes)),
        (None, None, Some(transfer)) => {
            let errors = match transfer.errors {
                0 => String::new(),
                errors => format!(", {errors} could not be read"),
            };
            let blocks = output::count(transfer.blocks, "block");
            let filemarks = output::count(transfer.filemarks, "filemark");
            format!("{} in {blocks}, {filemarks}{errors}", output::size(transfer.bytes))
        }
        (None, None, None) => job.why.clone().unwrap_or_default(),
    }
}

/// A job, and what it found.
fn page(job: &Answer) -> String {
    let report = job.report.as_ref().map(|report| report_text(&job.barcode, report)).unwrap_or_default();
    let file = job.file.as_ref().map(|file| format!("file  {file}\n")).unwrap_or_default();
    table(std::slice::from_ref(job)) + &file + &report
}
