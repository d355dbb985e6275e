//! `capstan tier scrub`

use std::time::Duration;

use capstan_api::{ScrubTier, Scrubbed};
use clap::Args;

use crate::cli::Globals;
use crate::commands::age;
use crate::failure::Failure;
use crate::output;

/// Delete what is nobody's in a tier
#[derive(Args)]
#[command(after_help = "\
Objects of uploads that were given up, and of data that was overwritten or erased. The daemon does the same every six
hours, with what has not changed for a day: a reader that began with an older manifest still finds what that one names.

Example: capstan tier scrub cloud --older-than 1h")]
pub(super) struct Scrub {
    /// Which tier
    name: String,
    /// What has not changed for so long: 90s, 15m, 24h
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = age)]
    older_than: Duration,
}

impl Scrub {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let request = ScrubTier { older_than_seconds: self.older_than.as_secs() };
        globals.answer(&globals.client().await?.scrub_tier(&self.name, &request).await?, text);
        Ok(())
    }
}

fn text(scrubbed: &Scrubbed) -> String {
    let &Scrubbed { objects, orphans, released, bytes } = scrubbed;
    format!(
        "{} looked at; deleted {orphans} that were nobody's and {released} that were released, {}.\n",
        output::count(objects, "object"),
        output::size(bytes)
    )
}
