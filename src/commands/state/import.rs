//! `capstan state import`

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_api::{LibraryState, WrappingKeyId, from_hex};
use capstan_disk::{Disk, RealDisk};
use capstan_library::{Carried, CarryOptions, LibraryError, carry};
use capstan_media::GatewayId;
use clap::Args;
use serde::Serialize;

use super::document;
use crate::cli::Globals;
use crate::failure::{Exit, Failure};
use crate::output;

/// Make a library in an empty directory that is the one of a file
#[derive(Args)]
#[command(after_help = "\
It works without the daemon. The library has the identity, the slot map and the serial numbers that it had; what was on
its cartridges comes back with `capstan recover --from tier`, or with their files.

Example:
  capstan state import library.json --state /var/lib/capstan --config /etc/capstan/capstan.toml")]
pub(super) struct Import {
    /// What `capstan state export` has written
    file: PathBuf,
    /// The directory of everything that is kept: missing, or empty
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// Where the configuration goes: nothing may be there [default: capstan.toml beside DIR]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What was made.
#[derive(Serialize)]
struct Answer {
    gateway: String,
    library: String,
    change: u64,
    tapes: usize,
    /// Cartridges whose files are not here.
    absent: Vec<String>,
    config: PathBuf,
    /// Files that have to be put back.
    secret_files: Vec<String>,
    wrapping_keys: Vec<WrappingKeyId>,
    left_out: Vec<String>,
}

impl Import {
    pub(super) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let state = document::read(&self.file)?;
        let state_dir = absolute(&self.state)?;
        let beside = || state_dir.parent().unwrap_or(Path::new("/")).join("capstan.toml");
        let config = self.config.as_deref().map_or_else(|| Ok(beside()), absolute)?;
        if config.symlink_metadata().is_ok() {
            return Err(Failure::new(Exit::Refused, format!("{} is there already", config.display()))
                .why("a configuration is never overwritten")
                .next("say with --config where it shall go, or move that one away"));
        }
        let carried = put(&state, &state_dir)?;
        write_config(&config, &configuration(&state, &state_dir))?;
        let answer = Answer {
            gateway: state.gateway,
            library: GatewayId(carried.uuid).to_string(),
            change: carried.change,
            tapes: carried.tapes.len(),
            absent: carried.absent.iter().map(ToString::to_string).collect(),
            config,
            secret_files: state.configuration.secret_files,
            wrapping_keys: state.configuration.wrapping_keys,
            left_out: state.configuration.left_out,
        };
        globals.answer(&answer, Answer::text);
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{} is no path", path.display())).why(error.to_string()))
}

fn put(state: &LibraryState, state_dir: &Path) -> Result<Carried, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let no_digits = || LibraryError::BadState("what should be hexadecimal digits is not".to_owned());
    let carried = (|| {
        let claims = state.claims.iter().map(|claim| Some((claim.tier.clone(), from_hex(&claim.claim)?)));
        let claims = claims.collect::<Option<Vec<_>>>().ok_or_else(no_digits)?;
        let image = from_hex(&state.image).ok_or_else(no_digits)?;
        carry(&CarryOptions { state_dir: state_dir.to_owned(), cartridge_dir: None, image, claims }, &disk)
    })();
    carried.map_err(|error| {
        let refused = error.kind() == capstan_library::ErrorKind::Refused;
        Failure::new(if refused { Exit::Refused } else { Exit::Failed }, "nothing was imported")
            .why(error.to_string())
            .next(error.next())
    })
}

/// The configuration, with the directory that it is for.
fn configuration(state: &LibraryState, state_dir: &Path) -> String {
    let directory = serde_json::to_string(&state_dir.display().to_string()).unwrap_or_default();
    let line = format!("state_dir = {directory}\n");
    let text = state.configuration.text.trim_start();
    match text.split_once("[gateway]\n") {
        Some((before, after)) => format!("{before}[gateway]\n{line}{after}"),
        None => format!("[gateway]\nname = \"{}\"\n{line}\n{text}", state.gateway),
    }
}

fn write_config(file: &Path, text: &str) -> Result<(), Failure> {
    let new = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(file);
    let written = new.and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()
    });
    written.map_err(|error| {
        Failure::failed(format!("{} cannot be written", file.display()))
            .why(error.to_string())
            .next("the library is imported; write the configuration by hand: it is in the file")
    })
}

impl Answer {
    fn text(&self) -> String {
        let Self { gateway, library, change, tapes, absent, config, .. } = self;
        let mut text = format!("gateway     {gateway}\nlibrary     {library}, after change {change}\n");
        let count = |number: usize| output::count(u64::try_from(number).unwrap_or(u64::MAX), "cartridge");
        text.push_str(&format!("tapes       {}, {} of them here\n", count(*tapes), tapes.saturating_sub(absent.len())));
        text.push_str(&format!("config      {}\n", config.display()));
        for file in &self.secret_files {
            text.push_str(&format!("put back    {file}\n"));
        }
        for WrappingKeyId { tier, file, id } in &self.wrapping_keys {
            text.push_str(&format!("key         {id} of tier {tier}, in {file}\n"));
        }
        for value in &self.left_out {
            text.push_str(&format!("add         the account in {value}\n"));
        }
        if !absent.is_empty() {
            text.push_str(&format!("not here    {}\n", absent.join(" ")));
            text.push_str(
                "What is not here comes back with `capstan recover --from tier`, or with the files of the cartridges, \
                 before `capstan serve` starts.\n",
            );
        }
        text
    }
}
