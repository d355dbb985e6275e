//! `cargo xtask bench`: the daemon against a peer, against its own portal, and against the limit of the machine.
//!
//! Everything that is compared is measured in the same run, by the same client (`bench-load`, package `scsi-tests`),
//! one subject after the other in each repetition. What cannot be measured is in the report with its reason.

mod case;
mod client;
mod directory;
mod disk;
mod document;
mod locate;
mod machine;
mod nop;
mod options;
mod programs;
mod quiet;
mod report;
mod results;
mod row;
mod start;
mod statistics;
mod stream;
mod subject;
mod throughput;
mod usage;

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use directory::Directory;
use machine::Machine;
use options::Options;
use programs::Programs;
use results::Results;
use row::Row;

/// What every row needs.
struct Bench {
    options: Options,
    programs: Programs,
    directory: Directory,
    results: Results,
}

/// Whether everything asked for could be measured.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::load()?;
    let target = workspace.target.join("bench");
    if options.is_only_document() {
        return document::write(&workspace.root, &target.join("report.md"));
    }
    fs::create_dir_all(&target)?;
    let lock = fs::File::create(target.join("lock"))?;
    lock.try_lock().with_context(|| format!("another run uses {}", target.display()))?;
    let programs = Programs::build(&workspace, &options)?;
    let directory = Directory::new(&options.directory.clone().unwrap_or_else(|| target.join("work")))?;
    let machine = Machine::look(&workspace.root, &directory.path, arguments, &options)?;
    let mut bench = Bench { options, programs, directory, results: Results::default() };
    bench.rows()?;
    let (markdown, json) = report::write(&machine, &bench.results, &target)?;
    println!("\n{markdown}\nin {}", target.join("report.md").display());
    if let Some(file) = &bench.options.json {
        fs::write(file, json).with_context(|| file.display().to_string())?;
    }
    if bench.options.document {
        document::write(&workspace.root, &target.join("report.md"))?;
    }
    Ok(bench.results.is_complete())
}

impl Bench {
    fn rows(&mut self) -> Result<()> {
        for row in self.options.rows.clone() {
            match row {
                Row::Throughput | Row::Cpu | Row::Memory | Row::Digests | Row::Fixed => {}
                Row::Nop => nop::run(self)?,
                Row::Start => start::run(self)?,
                Row::Locate => locate::run(self)?,
                Row::Iperf => stream::run(self)?,
            }
        }
        throughput::run(self)
    }
}
