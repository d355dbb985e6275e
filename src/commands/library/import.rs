//! `capstan library import`

use capstan_api::Import as Request;
use capstan_media::Barcode;
use clap::Args;

use super::sentence;
use crate::cli::Globals;
use crate::failure::Failure;

/// Take cartridges out of import/export slots into free storage slots
#[derive(Args)]
pub(super) struct Import {
    /// Which cartridges
    #[arg(required = true, value_parser = super::super::barcode, value_name = "BARCODE")]
    barcodes: Vec<Barcode>,
}

impl Import {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = Request { barcodes: self.barcodes.iter().map(ToString::to_string).collect() };
        let moved = globals.client().await?.import(&request).await?;
        globals.answer(&moved, |moved| moved.iter().map(sentence).collect());
        Ok(())
    }
}
