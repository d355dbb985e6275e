//! `capstan tape adopt`

use capstan_api::AdoptTape;
use capstan_media::Barcode;
use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;

/// Take over a cartridge of another gateway on the same tier
#[derive(Args)]
#[command(after_help = "\
One that was given away (`capstan tape handover`) is taken as it is. --force takes any: the other gateway is fenced, should it
run still, and what it has not shipped stays there as a fork. No data is fetched now.

Examples:
  capstan tape list --foreign
  capstan tape adopt CAP044L8 --slot 12")]
pub(super) struct Adopt {
    /// Which cartridge
    #[arg(value_parser = crate::commands::barcode)]
    barcode: Barcode,
    /// The slot that it goes to [default: the first free one]
    #[arg(long, value_name = "N")]
    slot: Option<u16>,
    /// Also if it was not given away: its gateway is lost
    #[arg(long)]
    force: bool,
}

impl Adopt {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if self.force {
            let act = format!("take {} from a gateway that may be at work with it, which is fenced then", self.barcode);
            confirm(globals, &act)?;
        }
        let request = AdoptTape { slot: self.slot, force: self.force };
        let tape = globals.client().await?.adopt_tape(&self.barcode, &request).await?;
        globals.answer(&tape, |tape| table(std::slice::from_ref(tape)));
        Ok(())
    }
}
