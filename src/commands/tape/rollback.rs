//! `capstan tape rollback`

use capstan_media::Barcode;
use clap::Args;

use super::versions::text;
use crate::cli::Globals;
use crate::failure::Failure;

/// Make an older version of a tape the tape again; what it is now becomes a version, to go back to
#[derive(Args)]
pub(super) struct Rollback {
    /// Which cartridge
    #[arg(value_parser = crate::commands::barcode)]
    barcode: Barcode,
    /// Which version, as `tape versions` numbers them
    #[arg(long, value_name = "VERSION")]
    to: u32,
}

impl Rollback {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let versions = client.roll_back(&self.barcode, self.to).await?;
        globals.answer(&versions, text);
        Ok(())
    }
}
