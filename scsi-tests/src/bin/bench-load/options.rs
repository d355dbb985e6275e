//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The client of the benchmark: one process for each drive, told what to do on standard input.
///
/// Words: `write`, `rewind`, `read`, `flood` and `stop`, `ping COUNT`, `locate OBJECT`, `end`.
#[derive(Parser, Debug)]
#[command(name = "bench-load")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) part: Part,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Part {
    /// Write and read one tape over iSCSI, one command at a time
    Tape(TapePart),
    /// Write and read one file of the bare server, one block at a time
    Bare(BarePart),
    /// Serve files over TCP with nothing around them: the limit of the machine
    BareServer(BareServerPart),
    /// Try to log in until the portal answers
    Login(LoginPart),
    /// Write to files and synchronise them, again and again
    Saturate(SaturatePart),
}

/// How much is moved in which pieces.
#[derive(Args, Clone, Debug)]
pub(crate) struct Amount {
    /// Bytes that one command moves
    #[arg(long)]
    pub(crate) block: u32,
    /// Bytes in all
    #[arg(long)]
    pub(crate) bytes: u64,
    /// Decides what the blocks hold
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct TapePart {
    #[arg(long)]
    pub(crate) portal: SocketAddr,
    /// The target's iSCSI name
    #[arg(long)]
    pub(crate) target: String,
    #[arg(long, default_value_t = 0)]
    pub(crate) lun: u8,
    #[command(flatten)]
    pub(crate) amount: Amount,
    /// Blocks of this fixed length, several in one command; 0 is one block of variable length a command
    #[arg(long, default_value_t = 0)]
    pub(crate) fixed: u32,
    /// Demand CRC32C digests of headers and data
    #[arg(long)]
    pub(crate) digests: bool,
    /// The target keeps nothing: do not look at what is read
    #[arg(long)]
    pub(crate) forgets: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BarePart {
    #[arg(long)]
    pub(crate) server: SocketAddr,
    /// Which file
    #[arg(long)]
    pub(crate) number: u32,
    #[command(flatten)]
    pub(crate) amount: Amount,
}

#[derive(Args, Debug)]
pub(crate) struct BareServerPart {
    /// Where its files lie
    #[arg(long)]
    pub(crate) directory: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct LoginPart {
    #[arg(long)]
    pub(crate) portal: SocketAddr,
    #[arg(long)]
    pub(crate) target: String,
}

#[derive(Args, Debug)]
pub(crate) struct SaturatePart {
    #[arg(long)]
    pub(crate) file: PathBuf,
    /// Length of all files together; they are overwritten
    #[arg(long)]
    pub(crate) bytes: u64,
    /// Each with a file of its own
    #[arg(long, default_value_t = 4)]
    pub(crate) writers: u32,
}
