//! `capstan key rotate`

use std::path::PathBuf;

use capstan_api::{KeyReport, RotateKeys};
use clap::Args;

use super::{absolute, answer, problems};
use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::output;

/// Wrap the key of every cartridge with another key
#[derive(Args)]
#[command(
    after_help = "\
Objects stay as they are: only the small keys are wrapped anew, here and in the tier. It can be asked again at any time, and
goes on where it was. What is wrapped with the old key stays until --remove-old.

This protects nothing that a thief of the old key has seen.

  head -c 32 /dev/urandom >new.key; chmod 600 new.key
  capstan key rotate --new-key-file new.key
  (keep a copy of new.key elsewhere, put it into encrypt_key_file, start the daemon again)
  capstan key verify
  capstan key rotate --remove-old",
    group = clap::ArgGroup::new("what").required(true).args(["new_key_file", "remove_old"])
)]
pub(super) struct Rotate {
    /// The file with the new key, which the daemon reads
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Remove what is wrapped with older keys than the configured one, once that opens everything
    #[arg(long)]
    remove_old: bool,
}

impl Rotate {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let Some(file) = self.new_key_file else {
            confirm(globals, "remove all that older keys open")?;
            return answer(globals, &client.remove_old_keys().await?, removed);
        };
        let new_key_file = absolute(&file)?;
        let report = client.rotate_keys(&RotateKeys { new_key_file: new_key_file.clone() }).await?;
        answer(globals, &report, |report| rotated(report, &new_key_file))
    }
}

fn rotated(report: &KeyReport, file: &str) -> String {
    let KeyReport { wrapping_key, encrypted, changed, .. } = report;
    let done =
        format!("Key {wrapping_key} wraps {}, {changed} of them new.\n", output::count(*encrypted, "cartridge key"));
    if !report.problems.is_empty() {
        return format!("{}{done}", problems(report));
    }
    format!(
        "{done}Now keep a copy of {file} elsewhere, put it into encrypt_key_file and start the daemon again.\n\
         What is wrapped with the old key stays until `capstan key rotate --remove-old`.\n"
    )
}

fn removed(report: &KeyReport) -> String {
    let tapes = output::count(report.changed, "cartridge");
    format!("Only key {} opens what there is; of {tapes} older wrapped keys were removed.\n", report.wrapping_key)
}
