//! `capstan tape delete`

use capstan_media::Barcode;
use clap::Args;
use serde_json::json;

use super::Barcodes;
use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::output;

/// Delete cartridges and all that they hold
#[derive(Args)]
pub(super) struct Delete {
    #[command(flatten)]
    which: Barcodes,
}

impl Delete {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let barcodes = &self.which.barcodes;
        let mut used = 0;
        for barcode in barcodes {
            used += client.tape(barcode).await?.used;
        }
        let names: Vec<&str> = barcodes.iter().map(Barcode::as_str).collect();
        confirm(globals, &format!("delete {} for ever, with {} of data", names.join(", "), output::size(used)))?;
        for barcode in barcodes {
            client.delete_tape(barcode).await?;
        }
        globals.answer(&json!({ "deleted": names }), |_| format!("deleted {}", names.join(", ")));
        Ok(())
    }
}
