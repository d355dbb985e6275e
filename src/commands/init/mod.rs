//! `capstan init`

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::check_config;
use crate::cli::Globals;
use crate::config::{Config, Overrides, template};
use crate::failure::{Exit, Failure};

/// Write a configuration file to start from
#[derive(Args)]
pub(crate) struct Init {
    /// Directory for it
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Address that initiators will connect to
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = super::address, default_value = "127.0.0.1:3260")]
    listen: SocketAddr,
    /// Shape of the library
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// Let anyone who reaches an address beyond loopback use every cartridge
    #[arg(long)]
    allow_unauthenticated: bool,
}

/// Shapes of libraries that people move here from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Profile {
    /// 1,500 slots and 60 import/export slots, as a tape gateway at Amazon has
    Aws,
}

#[derive(Serialize)]
struct Answer {
    config: PathBuf,
    state_dir: PathBuf,
    start: String,
}

const NAME: &str = "capstan.toml";

impl Init {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| {
            Failure::failed(format!("no configuration can be written to {}", self.dir.display())).why(error.to_string())
        };
        let overrides = Overrides {
            listen: vec![self.listen],
            allow_unauthenticated: self.allow_unauthenticated,
            ..Overrides::default()
        };
        let mut config = Config::load(None, &overrides).map_err(|mistakes| check_config::failure(&mistakes))?;
        fs::create_dir_all(&self.dir).map_err(cannot)?;
        let directory = self.dir.canonicalize().map_err(cannot)?;
        let file = directory.join(NAME);
        let state_dir = directory.join("capstan-data");
        config.gateway.state_dir.clone_from(&state_dir);
        if self.profile == Some(Profile::Aws) {
            config.library.slots = 1_500;
            config.library.io_slots = 60;
        }
        write_new(&file, &template(&config))?;
        let start = format!("capstan serve --config {}", file.display());
        globals.answer(&Answer { config: file, state_dir, start }, |answer| {
            format!(
                "wrote    {}\nstate    {}\nstart    {}\ncontrol  capstan --socket {} status\n",
                answer.config.display(),
                answer.state_dir.display(),
                answer.start,
                answer.state_dir.join("capstan.sock").display()
            )
        });
        Ok(())
    }
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    let written = fs::File::create_new(file).and_then(|mut new| new.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Refused, format!("{} is there already", file.display()))
                .why("a configuration is never overwritten")
                .next("name another directory, or move the file away")
        }
        _ => Failure::failed(format!("{} cannot be written", file.display())).why(error.to_string()),
    })
}
