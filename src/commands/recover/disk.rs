//! From the state directory: a catalog that is lost or damaged.

use std::path::PathBuf;
use std::sync::Arc;

use capstan_disk::{Disk, RealDisk};
use capstan_library::{Base, CatalogWas, RecoverOptions, Recovery, recover};
use serde::Serialize;

use super::failure;
use super::told::{Told, uuid};
use crate::cli::Globals;
use crate::config::Config;
use crate::failure::Failure;
use crate::{output, serve};

/// Makes the catalog again.
pub(super) fn run(config: &Config, dry_run: bool, globals: &Globals) -> Result<(), Failure> {
    let options = serve::library_options(config);
    let options = RecoverOptions {
        state_dir: options.state_dir,
        cartridge_dir: options.cartridge_dir,
        layout: options.layout,
        dry_run,
    };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let recovery = recover(&options, &disk).map_err(|error| failure(&error))?;
    globals.answer(&Answer::new(&recovery), |answer| answer.text(dry_run));
    Ok(())
}

/// What was done, or would be.
#[derive(Serialize)]
struct Answer {
    /// What was the matter: `good`, `missing`, `damaged`, `older`.
    catalog: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
    /// Where what is where comes from: `catalog`, `library.state`, `cartridges`.
    from: &'static str,
    /// Number of the last change that is known; 0 from cartridges.
    change: u64,
    /// Identity of the library.
    library: String,
    changed: bool,
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_aside: Option<PathBuf>,
    tapes: Vec<Tape>,
    remarks: Vec<Told>,
}

#[derive(Serialize)]
struct Tape {
    barcode: String,
    id: String,
    state: &'static str,
    location: Option<String>,
    size: u64,
}

impl Answer {
    fn new(recovery: &Recovery) -> Self {
        let (catalog, why) = match &recovery.catalog {
            CatalogWas::Good => ("good", String::new()),
            CatalogWas::Missing => ("missing", String::new()),
            CatalogWas::Damaged(why) => ("damaged", why.clone()),
            CatalogWas::Older { has, newest } => ("older", format!("it has change {has}, {newest} was the last")),
        };
        let (from, change) = match recovery.base {
            Base::Catalog { revision } => ("catalog", revision),
            Base::Mirror { revision, .. } => ("library.state", revision),
            Base::Tier { revision } => ("tier", revision),
            Base::Contradictory => ("catalog", recovery.revision),
            Base::Cartridges => ("cartridges", 0),
        };
        let state = &recovery.state;
        let mut tapes: Vec<Tape> = state
            .cartridges
            .iter()
            .map(|(id, row)| Tape {
                barcode: row.barcode.to_string(),
                id: id.to_string(),
                state: row.state.name(),
                location: state.places.iter().find(|(_, held)| held.cartridge == *id).map(|(at, _)| at.to_string()),
                size: row.capacity,
            })
            .collect();
        tapes.sort_by(|one, other| one.barcode.cmp(&other.barcode));
        Self {
            catalog,
            why,
            from,
            change,
            library: recovery.state.identity.map(|row| uuid(row.uuid)).unwrap_or_default(),
            changed: recovery.changed,
            written: recovery.written,
            kept_aside: recovery.kept_aside.clone(),
            tapes,
            remarks: recovery.remarks.iter().map(Told::new).collect(),
        }
    }

    fn text(&self, dry_run: bool) -> String {
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        let mut text = format!("catalog     {}{why}\n", self.catalog);
        let from = match self.from {
            "cartridges" => "the cartridges alone: where they were and who the library was is lost".to_owned(),
            from => format!("{from}, change {}", self.change),
        };
        let placed = self.tapes.iter().filter(|tape| tape.location.is_some()).count();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let cartridges = output::count(count(self.tapes.len()), "cartridge");
        text.push_str(&format!("from        {from}\nlibrary     {}\ntapes       {cartridges}", self.library));
        text.push_str(&format!(", {placed} of them in a slot or drive\n"));
        for remark in &self.remarks {
            text.push_str(&remark.text());
        }
        text.push_str(&match (self.changed, dry_run) {
            (false, _) => "Nothing is to be done: the catalog says this already.\n".to_owned(),
            (true, true) => "Nothing was written (--dry-run).\n".to_owned(),
            (true, false) => "A new catalog was written; `capstan serve` can start.\n".to_owned(),
        });
        if let Some(path) = &self.kept_aside {
            text.push_str(&format!("The old one is kept: {}\n", path.display()));
        }
        text
    }
}
