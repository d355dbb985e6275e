//! `capstan tape handover`

use capstan_api::HandOverTape;
use clap::Args;

use super::Barcodes;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Give cartridges to another gateway on the same tier
#[derive(Args)]
#[command(after_help = "\
A cartridge that is in no drive is shipped to its end, and a last delta says that it is given away. Then it leaves its slot,
and its files here go. The other gateway takes it with `capstan tape adopt BARCODE`. Ctrl-C before the end: it stays.

Example:
  capstan tape handover CAP001L8 --to gw2")]
pub(super) struct HandOver {
    #[command(flatten)]
    which: Barcodes,
    /// Only this gateway may adopt them, by its name or UUID [default: any]
    #[arg(long, value_name = "GATEWAY")]
    to: Option<String>,
}

impl HandOver {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let names: Vec<String> = self.which.barcodes.iter().map(ToString::to_string).collect();
        let client = globals.client().await?;
        let request = HandOverTape { to: self.to };
        for barcode in &self.which.barcodes {
            output::progress(&format!("{barcode} is shipped to its end"));
            let given = client.hand_over_tape(barcode, &request).await;
            output::progress("");
            given?;
        }
        globals.answer(&names, |names| format!("Given away: {}", names.join(", ")));
        Ok(())
    }
}
