//! `capstan tape clone`

use capstan_api::CloneTape;
use capstan_media::Barcode;
use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// Make a cartridge that begins with what another one holds, without copying it
#[derive(Args)]
pub(super) struct Clone {
    /// Which cartridge
    #[arg(value_parser = crate::commands::barcode)]
    barcode: Barcode,
    /// The barcode of the new one
    #[arg(value_parser = crate::commands::barcode, value_name = "NEW")]
    new: Barcode,
    /// An older version of it, as `tape versions` numbers them
    #[arg(long, value_name = "VERSION")]
    at: Option<u32>,
}

impl Clone {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let clone = CloneTape { barcode: self.new.to_string(), version: self.at };
        let tape = client.clone_tape(&self.barcode, &clone).await?;
        globals.answer(&[tape], |tapes| table(tapes));
        Ok(())
    }
}
