//! `capstan tier`

mod limit;
mod list;
mod pause;
mod scrub;
mod status;
mod test;

use capstan_api::{Client, ClientError, ErrorKind, Tier as Answer};
use clap::{Args, Subcommand};

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Tiers, where cartridges are shipped to: how they do, try, pause, limit, scrub
#[derive(Args)]
pub(crate) struct Tier {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Status(status::Status),
    Test(test::Test),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Limit(limit::Limit),
    Scrub(scrub::Scrub),
}

impl Tier {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::List(command) => command.run(globals).await,
            Command::Status(command) => command.run(globals).await,
            Command::Test(command) => command.run(globals).await,
            Command::Pause(command) => command.run(globals).await,
            Command::Resume(command) => command.run(globals).await,
            Command::Limit(command) => command.run(globals).await,
            Command::Scrub(command) => command.run(globals).await,
        }
    }
}

/// A line for each tier.
fn table(tiers: &[Answer]) -> String {
    if tiers.is_empty() {
        return NONE.to_owned();
    }
    let columns = [
        ("TIER", Align::Left),
        ("KIND", Align::Left),
        ("STATE", Align::Left),
        ("SENDS", Align::Right),
        ("LIMIT", Align::Right),
        ("FETCHES", Align::Right),
        ("LIMIT", Align::Right),
        ("RETRIES", Align::Right),
        ("WHERE", Align::Left),
    ];
    let limit = |limit: Option<u64>| limit.map(output::rate).unwrap_or_default();
    let mut table = Table::new(&columns);
    for tier in tiers {
        table.row([
            tier.name.clone(),
            tier.kind.clone(),
            tier.state.to_string(),
            output::rate(tier.upload_rate),
            limit(tier.upload_limit),
            output::rate(tier.download_rate),
            limit(tier.download_limit),
            tier.retries.to_string(),
            tier.place.clone(),
        ]);
    }
    table.to_string()
}

/// What is said where there is no tier.
const NONE: &str = "There is no tier: nothing is shipped.\n";

/// The tier of this name.
async fn named(client: &Client, name: &str) -> Result<Answer, Failure> {
    let found = client.tiers().await?.into_iter().find(|tier| tier.name == name);
    let unknown = || {
        let failure = capstan_api::Failure::new(ErrorKind::NotFound, format!("there is no tier {name:?}"));
        ClientError::Failure(failure.next("`capstan tier list` shows what there is")).into()
    };
    found.ok_or_else(unknown)
}
