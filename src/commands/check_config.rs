//! `capstan check-config`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::Globals;
use crate::config::{Config, Mistakes, Overrides};
use crate::failure::{Exit, Failure};
use crate::output;

/// Check a configuration file without starting anything
#[derive(Args)]
pub(crate) struct CheckConfig {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl CheckConfig {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mistakes = Config::load(Some(&self.file), &Overrides::default()).err();
        if globals.json {
            let list = mistakes.as_ref().map(|mistakes| mistakes.list.clone()).unwrap_or_default();
            output::json(&json!({ "file": self.file, "good": list.is_empty(), "mistakes": list }));
        }
        match mistakes {
            Some(mistakes) => Err(if globals.json { failure(&mistakes).told() } else { failure(&mistakes) }),
            None if globals.json => Ok(()),
            None => {
                output::print(&format!("{}: good", self.file.display()));
                Ok(())
            }
        }
    }
}

/// The mistakes of a configuration as what ends the command.
pub(crate) fn failure(mistakes: &Mistakes) -> Failure {
    let exit = if mistakes.all_refused() { Exit::Refused } else { Exit::Failed };
    let number = output::count(u64::try_from(mistakes.list.len()).unwrap_or(u64::MAX), "mistake");
    let place = mistakes.file.as_ref().map(|file| format!("{}: ", file.display())).unwrap_or_default();
    Failure::new(exit, format!("{mistakes}\n{place}{number}")).verbatim()
}
