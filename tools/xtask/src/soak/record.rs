//! What was run and what came of it: a line a death, a file of JSON, and a table to be pasted.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// One death and what was found after it.
pub(super) struct Death {
    pub(super) number: u32,
    /// How long the load had run.
    pub(super) after: Duration,
    /// Operations that were answered since the last death.
    pub(super) answered: Value,
    /// How often it died again before all was verified.
    pub(super) again: u32,
    /// From the death to the end of verification.
    pub(super) took: Duration,
    /// What the load says.
    pub(super) verified: Value,
    /// Bytes that this life of the daemon sent to its tier, and fetched from it, up to then.
    pub(super) tier: (u64, u64),
}

/// Everything of one kind.
pub(super) struct Record {
    name: &'static str,
    pub(super) count: u32,
    pub(super) seed: u64,
    directory: PathBuf,
    log: File,
    start: Instant,
    took: Duration,
    deaths: Vec<Value>,
    failure: Option<String>,
}

impl Record {
    pub(super) fn begin(name: &'static str, count: u32, seed: u64, directory: &Path) -> Result<Self> {
        let log = File::create(directory.join("log"))?;
        let start = Instant::now();
        let (directory, took) = (directory.to_owned(), Duration::ZERO);
        let mut record = Self { name, count, seed, directory, log, start, took, deaths: Vec::new(), failure: None };
        record.say(&format!("{name}: {count} deaths, seed {seed}"))?;
        Ok(record)
    }

    /// It died, and everything was as it must be.
    pub(super) fn death(&mut self, death: Death) -> Result<()> {
        let Death { number, after, answered, again, took, verified, tier: (sent, fetched) } = death;
        let of = |name: &str| field(&verified, name);
        let line = format!(
            "{number:4}  after {:5.2} s, {:5} answered; {:2} cartridges, {:5} objects, {:4} MiB identical; in doubt {:2}, \
             {:4} of {:4} unsure kept; {:2} positions lost; sent {:3} and fetched {:3} MiB; dead again {again}; {:.1} s",
            after.as_secs_f64(),
            answered.as_u64().unwrap_or(0),
            of("tapes"),
            of("objects"),
            of("bytes") >> 20,
            of("in_doubt"),
            of("kept") + of("kept_changes"),
            of("unsure") + of("unsure_changes"),
            of("positions_lost"),
            sent >> 20,
            fetched >> 20,
            took.as_secs_f64(),
        );
        self.say(&line)?;
        self.deaths.push(json!({
            "number": number,
            "after_seconds": after.as_secs_f64(),
            "answered": answered,
            "again": again,
            "seconds": took.as_secs_f64(),
            "verified": verified,
            "sent": sent,
            "fetched": fetched,
        }));
        Ok(())
    }

    /// All was done, or something failed.
    pub(super) fn end(&mut self, outcome: Result<()>) -> Result<()> {
        self.took = self.start.elapsed();
        if let Err(error) = outcome {
            let failure = format!("after {} deaths: {error:#}", self.deaths.len());
            self.say(&format!("FAILED {failure}"))?;
            for log in ["daemon.log", "share/daemon.log"] {
                for line in complaints(&self.directory.join(log)) {
                    self.say(&format!("    {line}"))?;
                }
            }
            self.say(&format!("what is left is in {}", self.directory.display()))?;
            self.failure = Some(failure);
        }
        let summary = json!({
            "name": self.name,
            "seed": self.seed,
            "wanted": self.count,
            "failure": self.failure,
            "seconds": self.took.as_secs_f64(),
            "deaths": self.deaths,
        });
        let file = self.directory.join("summary.json");
        fs::write(&file, serde_json::to_vec_pretty(&summary)?).with_context(|| file.display().to_string())
    }

    pub(super) fn passed(&self) -> bool {
        self.failure.is_none() && u32::try_from(self.deaths.len()) == Ok(self.count)
    }

    fn say(&mut self, line: &str) -> Result<()> {
        println!("{line}");
        Ok(writeln!(self.log, "{line}")?)
    }

    fn sum(&self, name: &str) -> u64 {
        self.deaths.iter().filter_map(|death| death.get("verified")).map(|verified| field(verified, name)).sum()
    }

    fn row(&self) -> String {
        let of = |name: &str| self.sum(name);
        let all = |name: &str| -> u64 { self.deaths.iter().map(|death| field(death, name)).sum() };
        let again = all("again");
        let answered: u64 = self.deaths.iter().map(|death| field(death, "answered")).sum();
        let cells = [
            self.name.to_owned(),
            self.seed.to_string(),
            format!("{} + {again}", self.deaths.len()),
            format!("{}:{:02}", self.took.as_secs() / 60, self.took.as_secs() % 60),
            answered.to_string(),
            format!("{} / {}", of("tapes"), of("objects")),
            format!("{:.2} GiB", gibibytes(of("bytes"))),
            format!("{} / {}", of("unsure"), of("kept")),
            format!("{} / {}", of("unsure_changes"), of("kept_changes")),
            of("positions_lost").to_string(),
            format!("{:.2} / {:.2} GiB", gibibytes(all("sent")), gibibytes(all("fetched"))),
            self.failure.as_ref().map_or_else(|| "none".to_owned(), |failure| failure.replace('|', "/")),
        ];
        format!("| {} |\n", cells.join(" | "))
    }
}

const HEAD: [&str; 12] = [
    "soak",
    "seed",
    "deaths + again in recovery",
    "time",
    "operations answered",
    "cartridges / objects read back",
    "compared",
    "writes unsure / found",
    "moves and the like in doubt / found done",
    "drives with position lost",
    "to the tier / from it",
    "failures",
];

/// A table with a row for each record.
pub(super) fn report(records: &[Record]) -> String {
    let rule = "---|".repeat(HEAD.len());
    let rows: String = records.iter().map(Record::row).collect();
    format!("| {} |\n|{rule}\n{rows}", HEAD.join(" | "))
}

/// The last lines of the daemon's log that are not about everyday matters.
fn complaints(log: &Path) -> Vec<String> {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains(" INFO ")).collect();
    lines.iter().skip(lines.len().saturating_sub(8)).map(|line| (*line).to_owned()).collect()
}

fn field(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn gibibytes(bytes: u64) -> f64 {
    // Whole mebibytes are exact enough, and fit.
    f64::from(u32::try_from(bytes >> 20).unwrap_or(u32::MAX)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(directory: &Path) -> Record {
        let mut record = Record::begin("kill", 1, 7, directory).unwrap();
        let verified = json!({ "tapes": 12, "objects": 34, "bytes": 3_u64 << 29, "unsure": 5, "kept": 2 });
        let (after, took) = (Duration::from_millis(900), Duration::from_secs(1));
        record
            .death(Death { number: 1, after, answered: json!(99), again: 1, took, verified, tier: (3 << 29, 1 << 30) })
            .unwrap();
        record
    }

    #[test]
    fn what_was_asked_for_and_found_is_a_pass_and_less_is_none() {
        let directory = std::env::temp_dir().join(format!("capstan-soak-record-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut good = record(&directory);
        good.end(Ok(())).unwrap();
        assert!(good.passed());
        let row = "| kill | 7 | 1 + 1 | 0:00 | 99 | 12 / 34 | 1.50 GiB | 5 / 2 | 0 / 0 | 0 | 1.50 / 1.00 GiB | none |";
        assert_eq!(report(&[good]).lines().last(), Some(row));
        let mut bad = record(&directory);
        bad.end(Err(anyhow::anyhow!("CAP001L8 ends"))).unwrap();
        assert!(!bad.passed());
        assert!(report(&[bad]).contains("after 1 deaths: CAP001L8 ends"));
        let mut short = record(&directory);
        short.count = 2;
        short.end(Ok(())).unwrap();
        assert!(!short.passed());
        let summary = fs::read_to_string(directory.join("summary.json")).unwrap();
        assert!(summary.contains("\"answered\": 99"));
        fs::remove_dir_all(&directory).unwrap();
    }
}
