//! `capstan tape erase`

use capstan_media::Barcode;
use clap::Args;

use super::{Barcodes, table};
use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::output;

/// Make cartridges blank; what was on them is an older version for a time (`tape versions`)
#[derive(Args)]
pub(super) struct Erase {
    #[command(flatten)]
    which: Barcodes,
}

impl Erase {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let barcodes = &self.which.barcodes;
        let mut used = 0;
        for barcode in barcodes {
            used += client.tape(barcode).await?.used;
        }
        let names: Vec<&str> = barcodes.iter().map(Barcode::as_str).collect();
        confirm(globals, &format!("erase {}, with {} of data", names.join(", "), output::size(used)))?;
        let mut tapes = Vec::new();
        for barcode in barcodes {
            tapes.push(client.erase_tape(barcode).await?);
        }
        globals.answer(&tapes, |tapes| table(tapes));
        Ok(())
    }
}
