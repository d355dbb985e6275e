//! `capstan tier status`

use capstan_api::Tier;
use clap::Args;

use super::{NONE, named};
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output;

/// Show how a tier is doing, or all of them
#[derive(Args)]
#[command(after_help = "\
States: connecting (nothing was heard of it yet), ready, unavailable (calls fail and are repeated), paused (by
`capstan tier pause`), refused (it is not what it was: nothing is written to it until somebody has looked at it).")]
pub(super) struct Status {
    /// Which tier [default: all]
    name: Option<String>,
}

impl Status {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        match self.name {
            Some(name) => globals.answer(&named(&client, &name).await?, text),
            None => globals.answer(&client.tiers().await?, |tiers| {
                let pages: Vec<String> = tiers.iter().map(text).collect();
                if pages.is_empty() { NONE.to_owned() } else { pages.join("\n") }
            }),
        }
        Ok(())
    }
}

fn text(tier: &Tier) -> String {
    let problem = tier.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    let mut text = format!(
        "tier       {}\nkind       {}\nwhere      {}\nstate      {}{problem}\nobjects    {}, {}\n\
         uploads    {} under way, {} at most\nsent       {}, now {}, {}\nfetched    {}, now {}, {}\nretries    {}\n",
        tier.name,
        tier.kind,
        tier.place,
        tier.state,
        tier.proof,
        tier.encryption.as_ref().map_or_else(|| "not encrypted".to_owned(), |key| format!("encrypted with key {key}")),
        tier.uploads,
        tier.parallel,
        output::size(tier.uploaded_bytes),
        output::rate(tier.upload_rate),
        limit(tier.upload_limit),
        output::size(tier.downloaded_bytes),
        output::rate(tier.download_rate),
        limit(tier.download_limit),
        tier.retries
    );
    if let Some(error) = &tier.last_error {
        text.push_str(&format!("last error {} ago: {}\n", output::age(output::since(error.time)), error.text));
    }
    text.extend(tier.notes.iter().map(|note| format!("note       {note}\n")));
    text
}

fn limit(limit: Option<u64>) -> String {
    limit.map_or_else(|| "no limit".to_owned(), |limit| format!("{} at most", output::rate(limit)))
}
