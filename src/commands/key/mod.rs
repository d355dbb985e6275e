//! `capstan key`

mod list;
mod rotate;
mod verify;

use std::path::{Path, PathBuf};

use capstan_api::{KeyProblem, KeyReport, Keys};
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Keys that cartridges are encrypted with: list, verify, change the key that wraps them
#[derive(Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Verify(verify::Verify),
    Rotate(rotate::Rotate),
}

impl Key {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Verify(command) => command.run(globals).await,
            Command::Rotate(command) => command.run(globals).await,
        }
    }
}

/// The keys, for people.
fn page(keys: &Keys) -> String {
    let Some(wrapping_key) = &keys.wrapping_key else {
        return format!("Tier {}: no key file is configured, nothing is encrypted.\n{}", keys.tier, table(keys));
    };
    let backup = match keys.backup_confirmed {
        true => "another copy was shown",
        false => "NOBODY HAS SHOWN ANOTHER COPY: `capstan key verify --confirm-backup COPY`",
    };
    let file = keys.key_file.as_ref().map(|file| format!(" in {file}")).unwrap_or_default();
    let next = keys.next_key.as_ref().map(|next| format!("next    {next}: put its file into encrypt_key_file\n"));
    format!(
        "tier    {}\nkey     {wrapping_key}{file}\nbackup  {backup}\n{}\n{}",
        keys.tier,
        next.unwrap_or_default(),
        table(keys)
    )
}

fn table(keys: &Keys) -> String {
    let mut table = Table::new(&[("WRAPPED WITH", Align::Left), ("TAPES", Align::Right)]);
    for wrapped in &keys.wrapped {
        table.row([wrapped.wrapping_key.clone(), wrapped.cartridges.to_string()]);
    }
    table.row(["no key".to_owned(), keys.unencrypted.to_string()]);
    table.to_string()
}

/// What is wrong, a line each.
fn problems(report: &KeyReport) -> String {
    let line =
        |problem: &KeyProblem| format!("{}: {}\n", problem.barcode.as_deref().unwrap_or("a cartridge"), problem.what);
    report.problems.iter().map(line).collect()
}

/// What was found, or done, and a failure if anything is wrong.
fn answer(globals: &Globals, report: &KeyReport, text: impl FnOnce(&KeyReport) -> String) -> Result<(), Failure> {
    globals.answer(report, text);
    if report.problems.is_empty() {
        return Ok(());
    }
    let problems = u64::try_from(report.problems.len()).unwrap_or(u64::MAX);
    let failure = Failure::failed(format!("{} with keys", output::count(problems, "problem")));
    Err(if globals.json { failure.told() } else { failure })
}

/// As the daemon finds it, wherever that runs.
fn absolute(file: &Path) -> Result<String, Failure> {
    let path: PathBuf = std::path::absolute(file).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(path.display().to_string())
}
