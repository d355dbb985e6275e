//! `capstan tape show`

use capstan_api::Tape;
use capstan_media::Barcode;
use clap::Args;

use super::tiered;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Show one cartridge
#[derive(Args)]
pub(super) struct Show {
    /// Which cartridge
    #[arg(value_parser = super::super::barcode)]
    barcode: Barcode,
}

impl Show {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let tape = globals.client().await?.tape(&self.barcode).await?;
        globals.answer(&tape, text);
        Ok(())
    }
}

fn text(tape: &Tape) -> String {
    let mut text = format!(
        "barcode    {}\nid         {}\nstate      {}\nwhere      {}\nsize       {}\nused       {} ({} %)\n\
         protected  {}\nobjects    {} ({}), {} of them safe on disk\n\
         in tier    {}\ncached     {}{}\n",
        tape.barcode,
        tape.id,
        tape.state,
        tape.location.as_deref().unwrap_or("-"),
        output::size(tape.size),
        output::size(tape.used),
        u128::from(tape.used) * 100 / u128::from(tape.size.max(1)),
        if tape.protected { "yes" } else { "no" },
        tape.objects,
        output::count(tape.filemarks, "filemark"),
        tape.durable_to,
        tiered::sentence(tape),
        output::size(tape.local_bytes),
        if tape.pinned { ", pinned" } else { "" }
    );
    if let Some(problem) = &tape.problem {
        text.push_str(&format!("problem    {problem}\n"));
    }
    text
}
