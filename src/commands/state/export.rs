//! `capstan state export`

use std::path::PathBuf;
use std::sync::Arc;

use capstan_api::{LibraryState, to_hex};
use capstan_disk::{Disk, RealDisk};
use capstan_library::read_state;
use capstan_media::GatewayId;
use clap::Args;
use serde::Serialize;

use super::document;
use crate::cli::Globals;
use crate::commands::check_config;
use crate::config::{Config, Overrides};
use crate::failure::{Exit, Failure};

/// Write the library without its cartridges to a file
#[derive(Args)]
#[command(after_help = "\
The file has what is where, the identity from which serial numbers come, by what the gateway knows its tiers again, and
the configuration that is in effect. It has no data, no key and no secret: files with secrets are only named.

Examples:
  capstan state export library.json
  capstan state export library.json --config /etc/capstan/capstan.toml --state /var/lib/capstan")]
pub(super) struct Export {
    /// Where to
    file: PathBuf,
    /// Without the daemon, which must not run: the directory of everything that is kept
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Without the daemon: its configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What was written.
#[derive(Serialize)]
struct Answer<'a> {
    file: String,
    gateway: &'a str,
    library: &'a str,
    change: u64,
    secret_files: &'a [String],
    left_out: &'a [String],
}

impl Export {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let state = match (&self.state, &self.config) {
            (None, None) => globals.client().await?.library_state().await?,
            _ => self.offline()?,
        };
        document::write(&self.file, &state, globals.yes)?;
        let answer = Answer {
            file: self.file.display().to_string(),
            gateway: &state.gateway,
            library: &state.library,
            change: state.change,
            secret_files: &state.configuration.secret_files,
            left_out: &state.configuration.left_out,
        };
        globals.answer(&answer, text);
        Ok(())
    }

    fn offline(&self) -> Result<LibraryState, Failure> {
        let overrides = Overrides { state_dir: self.state.clone(), ..Overrides::default() };
        let config = Config::load(self.config.as_deref(), &overrides).map_err(|e| check_config::failure(&e))?;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let state = read_state(&config.gateway.state_dir, &disk).map_err(|error| {
            let refused = error.kind() == capstan_library::ErrorKind::Refused;
            Failure::new(if refused { Exit::Refused } else { Exit::Failed }, "nothing was exported")
                .why(error.to_string())
                .next(error.next())
        })?;
        Ok(LibraryState {
            gateway: config.gateway.name.clone(),
            library: GatewayId(state.uuid).to_string(),
            change: state.change,
            image: to_hex(&state.image),
            claims: capstan_admin::claims(&config.gateway.state_dir),
            configuration: config.portable(),
        })
    }
}

fn text(answer: &Answer<'_>) -> String {
    let mut text = format!(
        "{}: gateway {}, library {} after change {}\n",
        answer.file, answer.gateway, answer.library, answer.change
    );
    for file in answer.secret_files {
        text.push_str(&format!("not in it: what is in {file}\n"));
    }
    for value in answer.left_out {
        text.push_str(&format!("not in it: the account in {value}\n"));
    }
    text
}
