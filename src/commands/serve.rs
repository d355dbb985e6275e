//! `capstan serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::check_config;
use crate::cli::Globals;
use crate::config::{Config, Overrides};
use crate::failure::Failure;
use crate::serve;

/// Run the library in the foreground
#[derive(Args)]
#[command(after_help = "It stops, with everything on disk, on Ctrl-C or SIGTERM; a second signal ends it at once.")]
pub(crate) struct Serve {
    /// Configuration file [default: none, docs/reference/configuration.md has the defaults]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of everything that is kept [default: ./capstan-data]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Address that initiators connect to; can be given more than once [default: 127.0.0.1:3260]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = super::address)]
    listen: Vec<SocketAddr>,
    /// Let anyone who reaches an address beyond loopback use every cartridge
    #[arg(long)]
    allow_unauthenticated: bool,
}

impl Serve {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let overrides =
            Overrides { state_dir: self.state, listen: self.listen, allow_unauthenticated: self.allow_unauthenticated };
        let config = Config::load(self.config.as_deref(), &overrides).map_err(|e| check_config::failure(&e))?;
        serve::run(config, globals.json).await
    }
}
