//! `capstan session list`

use std::time::Duration;

use capstan_api::Session;
use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// List all sessions
#[derive(Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let sessions = globals.client().await?.sessions().await?;
        globals.answer(&sessions, |sessions| text(sessions));
        Ok(())
    }
}

fn text(sessions: &[Session]) -> String {
    if sessions.is_empty() {
        return "No host is logged in.".into();
    }
    let columns = [
        ("ID", Align::Right),
        ("INITIATOR", Align::Left),
        ("ADDRESS", Align::Left),
        ("TARGET", Align::Left),
        ("SINCE", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for session in sessions {
        table.row([
            session.id.to_string(),
            session.initiator.clone(),
            session.address.clone(),
            session.target.clone().unwrap_or_else(|| "(discovery)".into()),
            output::age(Duration::from_secs(session.age_seconds)),
        ]);
    }
    table.to_string()
}
