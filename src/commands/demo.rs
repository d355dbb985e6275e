//! `capstan demo`

use clap::Args;

use crate::cli::Globals;
use crate::demo;
use crate::failure::Failure;

/// Show, in a scratch library, that what is written survives a crash
///
/// Makes a library in the directory for temporary files, starts a daemon on a free port of this machine, writes tar
/// archives over iSCSI, kills the daemon, starts it again, reads everything back and compares it. Needs no
/// configuration and no privileges, and leaves nothing behind.
#[derive(Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        demo::run(globals.json).await.map_err(|error| {
            let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
            Failure::failed(format!("the demo failed: {}", causes.join(": "))).why(error.to_string())
        })
    }
}
