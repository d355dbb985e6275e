//! `capstan key verify`

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use capstan_api::{ConfirmBackup, KeyReport, Keys, VerifyKeys};
use capstan_tier::WrappingKey;
use clap::Args;

use super::{absolute, answer, page, problems};
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Open the key of every cartridge, here and in the tier
#[derive(Args)]
#[command(after_help = "\
Without a key that opens them, what is in the tier is lost: that is what encryption is for. So keep a copy of the key file
somewhere else, and show it once: the warning in `capstan status` ends then.

Exit code 1 if a key cannot be opened.

Examples:
  capstan key verify
  capstan key verify --key-file /media/safe/capstan.key
  capstan key verify --confirm-backup /media/safe/capstan.key")]
pub(super) struct Verify {
    /// With the key in this file, which the daemon reads [default: the configured one]
    #[arg(long, value_name = "FILE", conflicts_with = "confirm_backup")]
    key_file: Option<PathBuf>,
    /// This is a copy of the key file: compare it, and remember that there is one
    #[arg(long, value_name = "FILE")]
    confirm_backup: Option<PathBuf>,
}

impl Verify {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        if let Some(copy) = self.confirm_backup {
            let keys = client.keys().await?;
            refuse_original(&keys, &copy)?;
            // The key itself stays in this process.
            let key = WrappingKey::from_file(&copy).map_err(|error| Failure::failed(error.to_string()))?;
            let keys = client.confirm_key_backup(&ConfirmBackup { wrapping_key: key.id().to_string() }).await?;
            globals.answer(&keys, page);
            return Ok(());
        }
        let key_file = self.key_file.as_deref().map(absolute).transpose()?;
        answer(globals, &client.verify_keys(&VerifyKeys { key_file }).await?, text)
    }
}

/// The file itself is no copy of it.
fn refuse_original(keys: &Keys, copy: &Path) -> Result<(), Failure> {
    let place = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    let original = keys.key_file.as_deref().map(Path::new);
    if original.is_some_and(|original| place(original).is_some() && place(original) == place(copy)) {
        return Err(Failure::failed(format!("{} is the key file itself", copy.display()))
            .next("show a copy of it, on another disk or another machine"));
    }
    Ok(())
}

fn text(report: &KeyReport) -> String {
    let (tapes, key) = (output::count(report.encrypted, "encrypted cartridge"), &report.wrapping_key);
    let without = match report.unencrypted {
        0 => String::new(),
        some => format!(" {} not encrypted.", output::count(some, "cartridge")),
    };
    match report.problems.is_empty() {
        true => format!("Key {key} opens {tapes}: all there are.{without}\n"),
        false => format!("{}Key {key} was tried on {tapes}.{without}\n", problems(report)),
    }
}
