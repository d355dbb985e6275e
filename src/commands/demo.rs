//! `capstan demo`

use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;

/// Show, in a scratch library, that what is written survives a crash
#[derive(Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) async fn run(self, _globals: &Globals) -> Result<(), Failure> {
        Err(Failure::failed("not wired yet"))
    }
}
