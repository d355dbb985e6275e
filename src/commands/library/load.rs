//! `capstan library load`

use capstan_api::Load as Request;
use capstan_media::Barcode;
use clap::Args;

use super::sentence;
use crate::cli::Globals;
use crate::failure::Failure;

/// Put a cartridge into a drive
#[derive(Args)]
pub(super) struct Load {
    /// Which cartridge
    #[arg(value_parser = super::super::barcode)]
    barcode: Barcode,
    /// Which drive, from 0 [default: the first empty one]
    #[arg(value_parser = super::super::drive_number)]
    drive: Option<u16>,
}

impl Load {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = Request { barcode: self.barcode.to_string(), drive: self.drive };
        let moved = globals.client().await?.load(&request).await?;
        globals.answer(&moved, sentence);
        Ok(())
    }
}
