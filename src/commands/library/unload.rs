//! `capstan library unload`

use capstan_api::Unload as Request;
use clap::Args;

use super::sentence;
use crate::cli::Globals;
use crate::failure::Failure;

/// Take the cartridge out of a drive, back to its slot
#[derive(Args)]
pub(super) struct Unload {
    /// Which drive, from 0
    #[arg(value_parser = super::super::drive_number)]
    drive: u16,
}

impl Unload {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let moved = globals.client().await?.unload(&Request { drive: self.drive }).await?;
        globals.answer(&moved, sentence);
        Ok(())
    }
}
