//! `capstan tier test`

use capstan_api::TierTest;
use clap::Args;

use super::NONE;
use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Try a tier, or all of them: an object is created, found, read and deleted
#[derive(Args)]
#[command(after_help = "Exit code 1 if a step failed.\n\nExample: capstan tier test cloud")]
pub(super) struct Test {
    /// Which tier [default: all]
    name: Option<String>,
}

impl Test {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let good = match self.name {
            Some(name) => {
                let test = client.test_tier(&name).await?;
                globals.answer(&test, text);
                test.good
            }
            None => {
                let mut tests = Vec::new();
                for tier in client.tiers().await? {
                    output::progress(&format!("{} ...", tier.name));
                    tests.push(client.test_tier(&tier.name).await?);
                }
                output::progress("");
                globals.answer(&tests, |tests| {
                    let pages: Vec<String> = tests.iter().map(text).collect();
                    if pages.is_empty() { NONE.to_owned() } else { pages.join("\n") }
                });
                tests.iter().all(|test| test.good)
            }
        };
        if good {
            return Ok(());
        }
        let failure = Failure::failed("the test failed").next(
            "docs/s3.md says what a tier wants of an S3 server; a directory has to be writable, and to have room",
        );
        Err(if globals.json { failure.told() } else { failure })
    }
}

fn text(test: &TierTest) -> String {
    let columns = [("STEP", Align::Left), ("TOOK", Align::Right), ("RESULT", Align::Left)];
    let mut table = Table::new(&columns);
    for step in &test.steps {
        let result = step.problem.as_ref().map_or_else(|| "good".to_owned(), |problem| format!("FAILED: {problem}"));
        table.row([step.what.clone(), format!("{} ms", step.milliseconds), result]);
    }
    format!("{}  {}\n{table}", test.name, if test.good { "good" } else { "FAILED" })
}
