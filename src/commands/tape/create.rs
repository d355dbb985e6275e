//! `capstan tape create`

use capstan_api::CreateTapes;
use capstan_media::{Barcode, ByteSize};
use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// Make blank cartridges in free slots
#[derive(Args)]
#[command(
    after_help = "Examples:\n  capstan tape create --count 5 --size 100GiB\n  capstan tape create --barcode NIGHT1L8"
)]
pub(super) struct Create {
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Capacity, as 100GiB or 12TB; at least 128MiB [default: library.tape_size of the configuration]
    #[arg(long)]
    size: Option<ByteSize>,
    /// Beginning of the barcodes; the next free numbers and L8 follow [default: CAP]
    #[arg(long, conflicts_with = "barcode", value_parser = super::super::barcode)]
    prefix: Option<Barcode>,
    /// Barcode of the one cartridge
    #[arg(long, conflicts_with = "count", value_parser = super::super::barcode)]
    barcode: Option<Barcode>,
}

impl Create {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = CreateTapes {
            count: self.count,
            size: self.size.map(|size| size.0),
            barcode: self.barcode.map(|barcode| barcode.to_string()),
            prefix: self.prefix.map(|prefix| prefix.to_string()),
        };
        let tapes = globals.client().await?.create_tapes(&request).await?;
        globals.answer(&tapes, |tapes| table(tapes));
        Ok(())
    }
}
