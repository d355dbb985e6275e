//! `capstan drive show`

use capstan_api::Drive;
use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Show one drive
#[derive(Args)]
pub(super) struct Show {
    /// Which drive, from 0
    #[arg(value_parser = super::super::drive_number)]
    drive: u16,
}

impl Show {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let drive = globals.client().await?.drive(self.drive).await?;
        globals.answer(&drive, text);
        Ok(())
    }
}

fn text(drive: &Drive) -> String {
    let busy = if drive.busy { ", busy" } else { "" };
    let mut text = format!(
        "drive    {}\nstate    {}{busy}\ntape     {}\nstands   {}\nserial   {}\ntarget   {}\nlun      {}\n\
         written  {} since the daemon started\nread     {} since the daemon started\n",
        drive.index,
        drive.state,
        drive.barcode.as_deref().unwrap_or("-"),
        drive.position.map_or_else(|| "-".to_owned(), |at| format!("before object {}, in file {}", at.object, at.file)),
        drive.serial,
        drive.target,
        drive.lun,
        output::size(drive.write_bytes),
        output::size(drive.read_bytes)
    );
    if let Some(problem) = &drive.problem {
        text.push_str(&format!("problem  {problem}\n"));
    }
    text
}
