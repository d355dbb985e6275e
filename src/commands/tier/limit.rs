//! `capstan tier limit`

use capstan_api::SetLimits;
use capstan_media::ByteSize;
use clap::Args;

use super::table;
use crate::cli::Globals;
use crate::failure::Failure;

/// Change how fast may be sent to a tier and fetched from it, until the daemon starts again
#[derive(Args)]
#[command(
    after_help = "\
What is not named stays as it is. The limits of the configuration hold again when the daemon starts again.

Examples:
  capstan tier limit cloud --upload 20MiB
  capstan tier limit cloud --upload none --download 100MB/s",
    group = clap::ArgGroup::new("limits").required(true).multiple(true).args(["upload", "download"])
)]
pub(super) struct Limit {
    /// Which tier
    name: String,
    /// Bytes a second that may be sent, as 20MiB or 20MiB/s, or none for no limit
    #[arg(long, value_name = "RATE", value_parser = rate)]
    upload: Option<Rate>,
    /// Bytes a second that may be fetched
    #[arg(long, value_name = "RATE", value_parser = rate)]
    download: Option<Rate>,
}

/// Bytes a second; `None` for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rate(Option<u64>);

fn rate(text: &str) -> Result<Rate, String> {
    if text == "none" {
        return Ok(Rate(None));
    }
    match text.strip_suffix("/s").unwrap_or(text).parse() {
        Ok(ByteSize(0)) => Err("0 would stop everything: use none for no limit, or `capstan tier pause`".to_owned()),
        Ok(ByteSize(bytes)) => Ok(Rate(Some(bytes))),
        Err(error) => Err(format!("{error}, or none for no limit")),
    }
}

impl Limit {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let given = |rate: Option<Rate>| rate.map(|Rate(limit)| limit);
        let limits = SetLimits { upload: given(self.upload), download: given(self.download) };
        let tier = globals.client().await?.limit_tier(&self.name, &limits).await?;
        globals.answer(&tier, |tier| table(std::slice::from_ref(tier)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_people_write_them() {
        for (text, expected) in [("none", None), ("20MiB", Some(20 << 20)), ("5MB/s", Some(5_000_000))] {
            assert_eq!(rate(text), Ok(Rate(expected)), "{text}");
        }
        for text in ["", "0", "0B/s", "fast", "5Mbit", "none/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
