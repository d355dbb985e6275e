//! From the tier: everything here is lost.

use std::sync::Arc;
use std::time::Duration;

use capstan_disk::RealDisk;
use capstan_library::{Fate, TapeBack, TierRecoverOptions, TierRecovery, recover_from_tier};
use capstan_mover::{Patience, Remains, Sample};
use capstan_tier::RetryPolicy;
use serde::Serialize;

use super::told::{Told, uuid};
use super::{Recover, failure};
use crate::cli::Globals;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output::{self, Align, Table};
use crate::serve;

/// Brings the library back.
pub(super) async fn run(recover: Recover, config: Config, globals: &Globals) -> Result<(), Failure> {
    let tier = config.tier();
    if let Some(name) = recover.tier.as_ref().filter(|name| **name != tier.name) {
        return Err(Failure::new(Exit::Usage, format!("there is no tier {name:?}"))
            .why(format!("the configuration has {:?}", tier.name)));
    }
    let opened = serve::reach_tier(&config, !recover.dry_run).await?;
    let place = opened.place.clone();
    let sample = recover.verify.map(|percent| Sample { percent, seed: recover.seed.unwrap_or_else(seed) });
    let library = serve::library_options(&config);
    let options = TierRecoverOptions {
        state_dir: library.state_dir,
        cartridge_dir: library.cartridge_dir,
        cache_dir: library.cache_dir,
        layout: library.layout,
        tier: tier.name.clone(),
        tier_directory: tier.directory().map(std::path::Path::to_owned),
        gateway: recover.gateway.clone().unwrap_or_else(|| config.gateway.name.clone()),
        tapes: recover.tapes,
        dry_run: recover.dry_run,
        sample,
    };
    let quiet = globals.json;
    let read_back = opened.found.as_ref().is_some_and(|found| found.read_back);
    let recovered = tokio::task::spawn_blocking(move || {
        let remains = Remains::new(opened.tier, opened.names, opened.wrapping_key, read_back, patience());
        let remains = remains.map_err(|error| failure(&error.into()))?;
        let disk: Arc<dyn capstan_disk::Disk> = Arc::new(RealDisk);
        let recovered = recover_from_tier(&options, &remains, &disk, &mut |what, done, of| {
            if !quiet {
                output::progress(&format!("{what}: {done} of {of}"));
            }
        });
        output::progress("");
        recovered.map_err(|error| failure(&error))
    });
    let recovered = recovered.await.map_err(|error| Failure::failed(error.to_string()))??;
    let answer = Answer::new(&recovered, (tier.name, place), sample);
    globals.answer(&answer, |answer| answer.text(recover.dry_run));
    if recovered.is_incomplete() {
        let next = "what is said above, and docs/operations/disasters.md";
        return Err(Failure::failed("not everything comes back").next(next).told());
    }
    Ok(())
}

/// Somebody waits: two minutes of trouble are enough.
fn patience() -> Patience {
    let policy = RetryPolicy::default();
    Patience { shipping: policy, recall: policy, answer: Duration::from_secs(60) }
}

/// Any number: it is shown, and can be given to see the same again.
fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos())
}

/// What was done, or would be.
#[derive(Serialize)]
struct Answer {
    gateway: String,
    /// Its UUID, which is that of the library too.
    library: String,
    tier: String,
    #[serde(skip)]
    place: String,
    /// Number of the last change of the library that is known; nothing if none is.
    change: Option<u64>,
    written: bool,
    /// Everything comes back.
    complete: bool,
    tapes: Vec<Tape>,
    remarks: Vec<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
}

#[derive(Serialize)]
struct Tape {
    barcode: String,
    id: String,
    location: Option<String>,
    /// `whole`, `cut`, `blank`, `lost`.
    fate: &'static str,
    objects: u64,
    filemarks: u64,
    used: u64,
    protected: bool,
    encrypted: bool,
    /// When its last delta was written: seconds since 1970 UTC.
    written: Option<u64>,
    /// The delta that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_delta: Option<u64>,
    missing_segments: Vec<u64>,
}

#[derive(Serialize)]
struct Verified {
    percent: u8,
    seed: u64,
    objects: u64,
    bytes: u64,
    bad: Vec<String>,
}

impl Tape {
    fn new(tape: &TapeBack) -> Self {
        let (fate, broken_delta) = match &tape.fate {
            Fate::Whole => ("whole", None),
            Fate::Cut(broken) => ("cut", Some(broken.number)),
            Fate::Blank => ("blank", None),
            Fate::Lost(_) => ("lost", None),
        };
        let facts = tape.facts.as_ref();
        Self {
            barcode: tape.barcode.to_string(),
            id: tape.id.to_string(),
            location: tape.place.map(|place| place.to_string()),
            fate,
            objects: facts.map_or(0, |facts| facts.objects),
            filemarks: facts.map_or(0, |facts| facts.filemarks),
            used: facts.map_or(0, |facts| facts.used),
            protected: facts.is_some_and(|facts| facts.protected),
            encrypted: tape.encrypted,
            written: tape.written.map(|written| written / 1000),
            broken_delta,
            missing_segments: tape.missing.iter().map(|(segment, ..)| *segment).collect(),
        }
    }
}

impl Answer {
    fn new(recovery: &TierRecovery, (tier, place): (String, String), sample: Option<Sample>) -> Self {
        let verified = recovery.rehearsal.as_ref().zip(sample).map(|(read, sample)| Verified {
            percent: sample.percent,
            seed: sample.seed,
            objects: read.good,
            bytes: read.bytes,
            bad: read.bad.clone(),
        });
        Self {
            gateway: recovery.gateway.name.clone(),
            library: uuid(recovery.gateway.id.0),
            tier,
            place,
            change: recovery.change,
            written: recovery.written,
            complete: !recovery.is_incomplete(),
            tapes: recovery.tapes.iter().map(Tape::new).collect(),
            remarks: recovery.remarks.iter().map(Told::new).collect(),
            verified,
        }
    }

    fn text(&self, dry_run: bool) -> String {
        let from = match self.change {
            Some(change) => format!("state after change {change}"),
            None => "no state of the library: cartridges are in slots by their barcodes".to_owned(),
        };
        let mut text = format!("gateway     {}, {}\n", self.gateway, self.library);
        text.push_str(&format!("tier        {}, {}\nlibrary     {from}\n", self.tier, self.place));
        text.push_str(&format!("tapes       {}\n\n", self.counts()));
        text.push_str(&self.table());
        if !self.remarks.is_empty() {
            text.push('\n');
        }
        self.remarks.iter().for_each(|remark| text.push_str(&remark.text()));
        if let Some(verified) = &self.verified {
            text.push_str(&format!("\n{}", verified.text()));
        }
        text.push_str(match dry_run {
            true => "\nNothing was written (--dry-run).\n",
            false => "\nThe library is here again; `capstan serve` can start. Data is fetched when it is read.\n",
        });
        text
    }

    fn counts(&self) -> String {
        let count = |fate: &str| self.tapes.iter().filter(|tape| tape.fate == fate).count();
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut text = output::count(number(self.tapes.len()), "cartridge");
        for (fate, said) in [("blank", "come back blank"), ("cut", "end early"), ("lost", "do not come back")] {
            match count(fate) {
                0 => {}
                some => text.push_str(&format!(", {some} of them {said}")),
            }
        }
        text
    }

    fn table(&self) -> String {
        let mut table = Table::new(&[
            ("BARCODE", Align::Left),
            ("WHERE", Align::Left),
            ("OBJECTS", Align::Right),
            ("MARKS", Align::Right),
            ("BYTES", Align::Right),
            ("LAST SHIPPED", Align::Left),
            ("RESULT", Align::Left),
        ]);
        for tape in &self.tapes {
            table.row([
                tape.barcode.clone(),
                tape.location.clone().unwrap_or_else(|| "-".to_owned()),
                tape.objects.to_string(),
                tape.filemarks.to_string(),
                output::size(tape.used),
                tape.written.map_or_else(|| "-".to_owned(), output::utc),
                tape.fate.to_owned(),
            ]);
        }
        table.to_string()
    }
}

impl Verified {
    fn text(&self) -> String {
        let (objects, bytes) = (output::count(self.objects, "object"), output::size(self.bytes));
        let mut text =
            format!("verified    {objects}, {bytes}, read and good ({} %, --seed {})\n", self.percent, self.seed);
        self.bad.iter().for_each(|bad| text.push_str(&format!("  BAD       {bad}\n")));
        text
    }
}
