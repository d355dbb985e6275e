//! `cargo xtask soak`: the daemon is killed, and the power is cut, again and again, under load.
//!
//! `crash-load` (package `scsi-tests`) writes to ten drives while cartridges move, and keeps outside of the daemon an
//! exact account of what was sent and what was answered. After each death it checks everything against that account.
//! Here is decided when something dies, and what came of it is written to `target/soak`.

mod chance;
mod guest;
mod kill;
mod options;
mod power;
mod programs;
mod record;

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use options::{Options, What};
use programs::Programs;
use record::Record;

/// Whether nothing was lost.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::load()?;
    let results = workspace.target.join("soak");
    fs::create_dir_all(&results)?;
    let lock = fs::File::create(results.join("lock"))?;
    lock.try_lock().with_context(|| format!("another run uses {}", results.display()))?;
    let programs = Programs::build(&workspace, options.binary.as_deref())?;
    let mut records = Vec::new();
    for (what, count) in options.plan() {
        let directory = results.join(what.name());
        if directory.exists() {
            fs::remove_dir_all(&directory).with_context(|| directory.display().to_string())?;
        }
        fs::create_dir_all(&directory)?;
        let mut record = Record::begin(what.name(), count, options.seed, &directory)?;
        let outcome = match what {
            What::Kill => kill::run(&programs, &directory, &mut record),
            What::Power(fs) => power::run(&workspace, &programs, fs, &directory, &mut record),
        };
        record.end(outcome)?;
        records.push(record);
        fs::write(results.join("report.md"), record::report(&records))?;
    }
    println!("\n{}\nin {}", record::report(&records), results.join("report.md").display());
    Ok(records.iter().all(Record::passed))
}
