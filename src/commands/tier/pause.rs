//! `capstan tier pause` and `capstan tier resume`

use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// Ship nothing more to a tier until it is resumed
#[derive(Args)]
#[command(after_help = "\
What is on its way is finished, and what is there is read. Hosts go on writing into the upload buffer; when it is full
they have to wait. A tier stays paused when the daemon starts again.")]
pub(super) struct Pause {
    /// Which tier
    name: String,
}

/// Ship to a tier again
#[derive(Args)]
pub(super) struct Resume {
    /// Which tier
    name: String,
}

impl Pause {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let tier = globals.client().await?.pause_tier(&self.name).await?;
        globals.answer(&tier, |tier| table(std::slice::from_ref(tier)));
        Ok(())
    }
}

impl Resume {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let tier = globals.client().await?.resume_tier(&self.name).await?;
        globals.answer(&tier, |tier| table(std::slice::from_ref(tier)));
        Ok(())
    }
}
