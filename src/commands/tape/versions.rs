//! `capstan tape versions`

use capstan_api::{ChangeVersion, TapeVersion, TapeVersions, VersionCause, VersionChange};
use capstan_media::Barcode;
use clap::{ArgGroup, Args};

use crate::cli::Globals;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Show what a tape was before it was overwritten, erased or rolled back
#[derive(Args)]
#[command(group = ArgGroup::new("change"))]
pub(super) struct Versions {
    /// Which cartridge
    #[arg(value_parser = crate::commands::barcode)]
    barcode: Barcode,
    /// Keep this version, whatever its age and however little room there is
    #[arg(long, value_name = "VERSION", group = "change")]
    hold: Option<u32>,
    /// Let this version be forgotten again
    #[arg(long, value_name = "VERSION", group = "change")]
    release: Option<u32>,
    /// Forget this version now: nobody can go back to it any more
    #[arg(long, value_name = "VERSION", group = "change")]
    forget: Option<u32>,
}

impl Versions {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.client().await?;
        let change = match (self.hold, self.release, self.forget) {
            (Some(version), ..) => Some(ChangeVersion { version, change: VersionChange::Hold }),
            (_, Some(version), _) => Some(ChangeVersion { version, change: VersionChange::LetGo }),
            (.., Some(version)) => {
                confirm(globals, &format!("forget version {version} of {}", self.barcode))?;
                Some(ChangeVersion { version, change: VersionChange::Forget })
            }
            _ => None,
        };
        let versions = match change {
            Some(change) => client.change_version(&self.barcode, &change).await?,
            None => client.versions(&self.barcode).await?,
        };
        globals.answer(&versions, text);
        Ok(())
    }
}

pub(super) fn text(tape: &TapeVersions) -> String {
    let columns = [
        ("VERSION", Align::Left),
        ("UNTIL", Align::Left),
        ("THEN", Align::Left),
        ("OBJECTS", Align::Right),
        ("FILEMARKS", Align::Right),
        ("USED", Align::Right),
        ("TAKES", Align::Right),
        ("ONLY HERE", Align::Right),
        ("HELD", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for version in &tape.versions {
        table.row([
            version.number.to_string(),
            output::utc(version.until),
            then(version),
            version.objects.to_string(),
            version.filemarks.to_string(),
            output::size(version.used),
            output::size(version.own_bytes),
            if version.unshipped_bytes > 0 { output::size(version.unshipped_bytes) } else { String::new() },
            if version.held { "yes".to_owned() } else { String::new() },
        ]);
    }
    let now =
        ["now", "", "", &tape.objects.to_string(), &tape.filemarks.to_string(), &output::size(tape.used), "", "", ""];
    table.row(now.map(str::to_owned));
    table.to_string()
}

fn then(version: &TapeVersion) -> String {
    let cause = match version.cause {
        VersionCause::Overwritten => "overwritten",
        VersionCause::RolledBack => "rolled back",
        VersionCause::Cloned => "cloned",
    };
    match version.missing {
        0 => cause.to_owned(),
        missing => format!("{cause}; {missing} objects are lost"),
    }
}
