//! `capstan completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::{Cli, Globals};
use crate::failure::Failure;

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Example: capstan completions bash > /etc/bash_completion.d/capstan")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

#[derive(Serialize)]
struct Answer {
    shell: String,
    script: String,
}

impl Completions {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "capstan", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        globals.answer(&Answer { shell: self.shell.to_string(), script }, |answer| answer.script.clone());
        Ok(())
    }
}
