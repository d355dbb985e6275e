//! `capstan version`

use clap::Args;
use serde::Serialize;

use crate::cli::Globals;
use crate::failure::Failure;

/// Show the version of this program
#[derive(Args)]
pub(crate) struct Version {}

#[derive(Serialize)]
struct Answer {
    name: &'static str,
    version: &'static str,
}

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Version {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let answer = Answer { name: "capstan", version: VERSION };
        globals.answer(&answer, |answer| format!("{} {}", answer.name, answer.version));
        Ok(())
    }
}
