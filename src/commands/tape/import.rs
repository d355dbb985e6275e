//! `capstan tape import`

use std::path::PathBuf;

use capstan_api::{ImportFormat, ImportTape};
use capstan_media::{Barcode, ByteSize, MAX_BLOCK_LENGTH};
use clap::{Args, ValueEnum};

use crate::cli::Globals;
use crate::commands::tape::image;
use crate::failure::Failure;

/// Make a new cartridge from an image of a tape, or from files
#[derive(Args)]
#[command(after_help = "\
The cartridge is made in the background, and is AVAILABLE in its slot once all of it is on stable storage; until then it
is CREATING, and no drive can have it. Ctrl-C cancels, and leaves nothing; so does the death of the daemon.

Examples:
  capstan tape import old-backup.tap --barcode OLD001L8
  capstan tape import cap001 --format files --barcode CAP901L8
  capstan tape import one.tar two.tar --barcode TARS01L8 --block-size 10240")]
pub(super) struct Import {
    /// From what, on the machine of the daemon
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Barcode of the new cartridge
    #[arg(long, value_parser = super::super::barcode)]
    barcode: Barcode,
    /// What FILE is [default: tap if its name ends so, files for a directory, else raw]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Bytes in each block that raw files are cut into, as 10240 or 256KiB; the last one may be shorter [default: 64KiB]
    #[arg(long, value_parser = block_size)]
    block_size: Option<u32>,
    /// Capacity, as 100GiB or 12TB [default: library.tape_size of the configuration, or what the files need]
    #[arg(long)]
    size: Option<ByteSize>,
    /// Storage slot that it goes into, from 1 [default: the first free one]
    #[arg(long, value_name = "N")]
    slot: Option<u16>,
    /// Leave out blocks that could not be read when the image was made
    #[arg(long)]
    skip_errors: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A SIMH .tap image
    Tap,
    /// A directory that an export has written
    Files,
    /// Files of any kind: each becomes a tape file, with a filemark after it
    Raw,
}

fn block_size(text: &str) -> Result<u32, String> {
    let size: ByteSize = text.parse().map_err(|error| format!("{error}"))?;
    let size = u32::try_from(size.0).ok().filter(|size| (1..=MAX_BLOCK_LENGTH).contains(size));
    size.ok_or_else(|| format!("blocks have 1 to {} bytes", MAX_BLOCK_LENGTH))
}

impl Import {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = ImportTape {
            format: self.format(),
            files: self.files.iter().map(|file| image::absolute(file)).collect::<Result<_, _>>()?,
            block_size: self.block_size,
            size: self.size.map(|size| size.0),
            slot: self.slot,
            skip_errors: self.skip_errors,
        };
        let client = globals.client().await?;
        let job = client.import_tape(&self.barcode, &request).await?;
        image::follow(globals, &client, job).await
    }

    fn format(&self) -> ImportFormat {
        let is_tap = |file: &PathBuf| file.extension().is_some_and(|end| end.eq_ignore_ascii_case("tap"));
        match (self.format, self.files.as_slice()) {
            (Some(Format::Tap), _) => ImportFormat::Tap,
            (Some(Format::Files), _) => ImportFormat::Files,
            (Some(Format::Raw), _) => ImportFormat::Raw,
            (None, [file]) if is_tap(file) => ImportFormat::Tap,
            (None, [file]) if file.is_dir() => ImportFormat::Files,
            (None, _) => ImportFormat::Raw,
        }
    }
}
