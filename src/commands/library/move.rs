//! `capstan library move`

use capstan_api::Move as Request;
use capstan_media::Place;
use clap::Args;

use super::sentence;
use crate::cli::Globals;
use crate::failure::Failure;

/// Move a cartridge from one element to another
#[derive(Args)]
#[command(after_help = "Elements are slot:N and io:N, from 1, and drive:N, from 0.")]
pub(super) struct Move {
    /// From where
    #[arg(value_name = "SRC", value_parser = super::super::place)]
    from: Place,
    /// To where
    #[arg(value_name = "DST", value_parser = super::super::place)]
    to: Place,
}

impl Move {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = Request { from: self.from.to_string(), to: self.to.to_string() };
        let moved = globals.client().await?.move_medium(&request).await?;
        globals.answer(&moved, sentence);
        Ok(())
    }
}
