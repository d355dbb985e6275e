//! `cargo xtask linux`: jobs of `scsi-tests/linux/jobs` against the daemon, on a real Linux initiator.
//!
//! For every job: a fresh daemon in a network namespace of its own, a guest (User Mode Linux: an ordinary
//! process with Debian's kernel, st, sg, ch and open-iscsi) on the other end of a tap device, and a shared directory
//! by which the job asks for things only the host can do, such as killing the daemon.
//! What cannot run fails, saying why; no job is ever skipped.

mod daemon;
mod desk;
mod guest;
mod job;
mod machine;
mod namespace;
mod options;
mod server;
mod supplies;
mod trial;

use anyhow::Result;

use crate::summary::Summary;
use crate::workspace::Workspace;
use machine::Machine;
use options::Options;
use supplies::Supplies;

/// Whether every job passed.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::load()?;
    let jobs = job::select(job::load(&workspace.root.join("scsi-tests/linux/jobs"))?, &options.jobs)?;
    if options.list {
        for job in &jobs {
            println!("{:22} {}", job.name, job.proves);
        }
        return Ok(true);
    }
    let machine = Machine::prepare(&workspace, options.keep, options.form)?;
    if options.setup {
        println!("the guest's root is {}", machine.root.display());
        return Ok(true);
    }
    let supplies = Supplies::prepare(&workspace, &jobs, options.binary)?;
    let mut summary = Summary::default();
    for job in &jobs {
        summary.step(&job.name, || trial::run(&machine, &supplies, job));
    }
    println!("\n{summary}");
    Ok(summary.passed())
}

/// The root from which a guest boots, built if it is not there.
pub(crate) fn guest_root(workspace: &Workspace) -> Result<std::path::PathBuf> {
    machine::root(workspace)
}
