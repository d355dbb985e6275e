//! `capstan tape protect` and `capstan tape unprotect`

use clap::Args;

use super::{Barcodes, table};
use crate::cli::Globals;
use crate::failure::Failure;

/// Write-protect cartridges
#[derive(Args)]
pub(super) struct Protect {
    #[command(flatten)]
    which: Barcodes,
}

/// End the write-protection of cartridges
#[derive(Args)]
pub(super) struct Unprotect {
    #[command(flatten)]
    which: Barcodes,
}

impl Protect {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        set(globals, &self.which, true).await
    }
}

impl Unprotect {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        set(globals, &self.which, false).await
    }
}

async fn set(globals: &Globals, which: &Barcodes, protected: bool) -> Result<(), Failure> {
    let client = globals.client().await?;
    let mut tapes = Vec::new();
    for barcode in &which.barcodes {
        tapes.push(client.protect_tape(barcode, protected).await?);
    }
    globals.answer(&tapes, |tapes| table(tapes));
    Ok(())
}
