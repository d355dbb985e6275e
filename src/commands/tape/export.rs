//! `capstan tape export`

use std::path::PathBuf;

use capstan_api::{ExportFormat, ExportTape};
use capstan_media::Barcode;
use clap::{Args, ValueEnum};

use crate::cli::Globals;
use crate::commands::tape::image;
use crate::failure::Failure;

/// Write a cartridge to a file
#[derive(Args)]
#[command(after_help = "\
The file holds every block and every filemark as it is on the tape. It is written in the background under the name
FILE.part, and has its own name once all of it is on stable storage. What is only in the tier is recalled. A cartridge in
a drive is not exported; one that is loaded meanwhile is no longer. Ctrl-C cancels. Blocks that cannot be read are
marked as such, and the exit code is 1.

Examples:
  capstan tape export CAP001L8 cap001.tap
  capstan tape export CAP001L8 cap001 --format files
  capstan tape export CAP001L8 third-file.tap --from-filemark 2 --to-filemark 3")]
pub(super) struct Export {
    /// Which cartridge
    #[arg(value_parser = super::super::barcode)]
    barcode: Barcode,
    /// Where to, on the machine of the daemon
    file: PathBuf,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Tap)]
    format: Format,
    /// Begin after so many filemarks of the tape
    #[arg(long, value_name = "N", default_value_t = 0)]
    from_filemark: u64,
    /// End after so many filemarks of the tape, with the last of them [default: end of data]
    #[arg(long, value_name = "M")]
    to_filemark: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A SIMH .tap image
    Tap,
    /// A directory: the data of each tape file, and index.txt
    Files,
}

impl Export {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = ExportTape {
            file: image::absolute(&self.file)?,
            format: match self.format {
                Format::Tap => ExportFormat::Tap,
                Format::Files => ExportFormat::Files,
            },
            overwrite: globals.yes,
            from_filemark: self.from_filemark,
            to_filemark: self.to_filemark,
        };
        let client = globals.client().await?;
        let job = client.export_tape(&self.barcode, &request).await?;
        image::follow(globals, &client, job).await
    }
}
