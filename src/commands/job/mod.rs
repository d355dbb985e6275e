//! `capstan job`

mod cancel;
mod list;
mod show;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use capstan_api::Job as Answer;
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// What goes on in the background: list, show, cancel
#[derive(Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
    Cancel(cancel::Cancel),
}

impl Job {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Show(command) => command.run(globals).await,
            Command::Cancel(command) => command.run(globals).await,
        }
    }
}

fn table(jobs: &[Answer]) -> String {
    let columns = [
        ("ID", Align::Right),
        ("KIND", Align::Left),
        ("TAPE", Align::Left),
        ("STATE", Align::Left),
        ("DONE", Align::Right),
        ("SINCE", Align::Right),
        ("RESULT", Align::Left),
    ];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut table = Table::new(&columns);
    for job in jobs {
        let result = match &job.report {
            Some(report) if report.good => "good".to_owned(),
            Some(_) => "damaged".to_owned(),
            None => job.why.clone().unwrap_or_default(),
        };
        table.row([
            job.id.to_string(),
            job.kind.clone(),
            job.barcode.clone(),
            job.state.to_string(),
            format!("{} %", output::percent(job.done_bytes, job.total_bytes)),
            output::age(Duration::from_secs(now.saturating_sub(job.created))),
            result,
        ]);
    }
    table.to_string()
}
