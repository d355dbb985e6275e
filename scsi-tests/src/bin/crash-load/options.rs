//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};

/// Load a library, note outside of it what was answered, and check after a crash what is left.
///
/// One run is one cycle: what the journal says is verified, a new journal is begun with what was found, and then the
/// library is loaded until the connections break. Progress goes to standard output, one line of JSON a step.
#[derive(Parser, Debug)]
#[command(name = "crash-load")]
pub(crate) struct Options {
    /// The portal
    #[arg(long)]
    pub(crate) portal: SocketAddr,
    /// The admin command
    #[arg(long)]
    pub(crate) capstan: PathBuf,
    /// The daemon's socket
    #[arg(long)]
    pub(crate) socket: PathBuf,
    /// The journal; made if it is not there
    #[arg(long)]
    pub(crate) journal: PathBuf,
    /// What may be lost: only what was not answered, or what no recovery point covers
    #[arg(long)]
    pub(crate) mode: Mode,
    /// Decides what is done and written
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// About how many bytes a cartridge holds before it is overwritten
    #[arg(long, default_value_t = 16 << 20)]
    pub(crate) budget: u64,
    /// Verify and end
    #[arg(long)]
    pub(crate) verify_only: bool,
}

/// What dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// The daemon: everything that was answered must be there.
    Kill,
    /// The machine: everything before the last recovery point must be there.
    Power,
}
