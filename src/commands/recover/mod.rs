//! `capstan recover`

mod disk;
mod tier;
mod told;

use std::path::PathBuf;

use capstan_library::LibraryError;
use capstan_media::Barcode;
use clap::{Args, ValueEnum};

use super::check_config;
use crate::cli::Globals;
use crate::config::{Config, Overrides};
use crate::failure::{Exit, Failure};

/// Bring back a library whose catalog, or whose whole machine, is lost
#[derive(Args)]
#[command(after_help = "\
It works without the daemon, and refuses while one runs.
--from disk makes a lost or damaged catalog again. It deletes nothing: the old one gets another name. Where cartridges are,
who the library is and what is protected come back as they were answered last.
--from tier makes the whole library again in an empty state directory, from what was shipped: no data is fetched, what is
read later is. A machine that still runs as the same gateway is fenced. With --dry-run nothing is written anywhere; with
--verify too it is a fire drill.
Exit code 1 if something that was there does not come back.")]
pub(crate) struct Recover {
    /// What to make it from
    #[arg(long, value_name = "WHERE")]
    from: From,
    /// The tier, where more than one is configured
    #[arg(long, value_name = "NAME")]
    tier: Option<String>,
    /// The gateway that is lost: its name or UUID [default: the name in the configuration]
    #[arg(long, value_name = "NAME|UUID")]
    gateway: Option<String>,
    /// Only these cartridges [default: all]
    #[arg(long, value_name = "BARCODES", value_delimiter = ',')]
    tapes: Vec<Barcode>,
    /// Also read and prove so many of each cartridge's objects, chosen at random
    #[arg(long, value_name = "N%", value_parser = percent)]
    verify: Option<u8>,
    /// Choose the same objects as the run that has shown this number
    #[arg(long, value_name = "NUMBER", requires = "verify")]
    seed: Option<u64>,
    /// Configuration file of the library [default: none]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of everything that is kept [default: ./capstan-data]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Where what is lost can be found again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum From {
    /// The state directory: what is kept beside the catalog, and the cartridges
    Disk,
    /// The tier: what was shipped, for an empty machine
    Tier,
}

impl Recover {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let overrides = Overrides { state_dir: self.state.clone(), ..Overrides::default() };
        let config = Config::load(self.config.as_deref(), &overrides).map_err(|e| check_config::failure(&e))?;
        match self.from {
            From::Disk => {
                self.refuse_words_of_tiers()?;
                disk::run(&config, self.dry_run, globals)
            }
            From::Tier => tier::run(self, config, globals).await,
        }
    }

    fn refuse_words_of_tiers(&self) -> Result<(), Failure> {
        let given = [
            ("--tier", self.tier.is_some()),
            ("--gateway", self.gateway.is_some()),
            ("--tapes", !self.tapes.is_empty()),
            ("--verify", self.verify.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((word, _)) => Err(Failure::new(Exit::Usage, format!("{word} goes with --from tier"))),
            None => Ok(()),
        }
    }
}

/// `5%` or `5`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number.filter(|number| (1..=100).contains(number)).ok_or_else(|| "1% to 100%".to_owned())
}

fn failure(error: &LibraryError) -> Failure {
    let exit = match error.kind() {
        capstan_library::ErrorKind::Refused => Exit::Refused,
        capstan_library::ErrorKind::Invalid => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, "nothing was recovered").why(error.to_string()).next(error.next())
}
