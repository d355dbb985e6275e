//! What can be asked for. `capstan inspect` has the same.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::commands;
use crate::error::Error;
use crate::source::{self, Source};
use crate::text;

/// Read what Capstan keeps in a tier, without a gateway
#[derive(Args, Clone, Debug)]
pub struct Inspect {
    /// Where the tier is: a directory, or s3://BUCKET[/PREFIX]
    #[arg(value_name = "URL|DIR")]
    source: String,
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// What is needed to get at the data.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Where the data is, and what opens it")]
pub(crate) struct Options {
    /// File with a wrapping key that opens encrypted tapes; may be given more than once
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Vec<PathBuf>,
    /// Another S3 server than Amazon's
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Region of the bucket [default: $AWS_REGION, $AWS_DEFAULT_REGION, ~/.aws/config, us-east-1]
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Do not sign requests: the bucket is public
    #[arg(long, global = true)]
    pub(crate) no_sign_request: bool,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    Ls(Ls),
    Cat(Cat),
    Export(Export),
    Verify(Verify),
}

/// List the tapes, or what is on one
#[derive(Args, Clone, Debug)]
pub(crate) struct Ls {
    /// The tape: BARCODE, or BARCODE/UUID where two had the same [default: list all]
    pub(crate) barcode: Option<String>,
    #[command(flatten)]
    pub(crate) version: Version,
}

/// Write blocks of a tape to standard output, one after the other
#[derive(Args, Clone, Debug)]
pub(crate) struct Cat {
    /// The tape: BARCODE, or BARCODE/UUID
    pub(crate) barcode: String,
    /// Begin at this block, as `mt tell` and READ POSITION number them
    #[arg(long, value_name = "BLOCK")]
    pub(crate) from: Option<u64>,
    /// End before this block
    #[arg(long, value_name = "BLOCK")]
    pub(crate) to: Option<u64>,
    /// Only the blocks after that many filemarks, up to the next one
    #[arg(long, value_name = "N")]
    pub(crate) file: Option<u64>,
    /// Leave out damaged blocks instead of ending at the first
    #[arg(long)]
    pub(crate) skip_damaged: bool,
    #[command(flatten)]
    pub(crate) version: Version,
}

/// Write a tape to files
#[derive(Args, Clone, Debug)]
pub(crate) struct Export {
    /// The tape: BARCODE, or BARCODE/UUID
    pub(crate) barcode: String,
    /// A new directory for the files; with `--format tap`, a new file
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value = "files")]
    pub(crate) format: ExportFormat,
    #[command(flatten)]
    pub(crate) version: Version,
}

/// Read all of the tapes and check every checksum, hash and tag
#[derive(Args, Clone, Debug)]
pub(crate) struct Verify {
    /// The tapes: BARCODE, or BARCODE/UUID [default: all]
    pub(crate) barcodes: Vec<String>,
}

/// What `export` writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A file for each tape file, and blocks.json with the sizes of blocks
    Files,
    /// One SIMH magnetic tape image
    Tap,
}

/// Which state of a tape.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Version {
    /// An older version of the tape, as `ls BARCODE` lists them [default: what the tape is now]
    #[arg(long = "version", value_name = "N")]
    pub(crate) number: Option<u32>,
    /// What the tier said of the tape at that time, such as 2026-11-20T14:00:00Z: what was released since may be gone
    #[arg(long, value_name = "TIME", value_parser = text::parse_utc, conflicts_with = "delta")]
    pub(crate) at: Option<u64>,
    /// What the tier said of the tape after that delta of its manifest: what was released since may be gone
    #[arg(long, value_name = "N")]
    pub(crate) delta: Option<u64>,
}

/// How a command ended that did what it was to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing is wrong with what was read.
    Whole,
    /// Something was damaged, and the output says what.
    Damaged,
}

impl Version {
    /// Whether it is not what the tape is now.
    pub(crate) fn is_given(&self) -> bool {
        self.number.is_some() || self.at.is_some() || self.delta.is_some()
    }
}

impl Inspect {
    /// Does it: what was asked for goes to `output`, remarks to `notes`.
    pub fn run(&self, json: bool, output: &mut dyn Write, notes: &mut dyn Write) -> Result<Outcome, Error> {
        let source: Box<dyn Source> = source::open(&self.source, &self.options)?;
        let mut session = commands::Session::new(source.as_ref(), &self.options, json, output, notes)?;
        match &self.command {
            Command::Ls(ls) => session.ls(ls),
            Command::Cat(cat) => session.cat(cat),
            Command::Export(export) => session.export(export),
            Command::Verify(verify) => session.verify(verify),
        }
    }
}

impl Error {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }
}
