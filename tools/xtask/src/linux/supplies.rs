//! What a job has in its guest besides the rig: programs, files of the source, and disks.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::guest::mebibytes;
use super::job::Job;
use crate::process;
use crate::workspace::Workspace;

/// Where everything is that jobs may want.
pub(super) struct Supplies {
    source: PathBuf,
    /// The daemon under test.
    pub(super) capstan: PathBuf,
    load: PathBuf,
}

impl Supplies {
    /// Builds what these jobs want. `capstan` is built already if it is given.
    pub(super) fn prepare(workspace: &Workspace, jobs: &[Job], capstan: Option<PathBuf>) -> Result<Self> {
        let wanted = |program: &str| jobs.iter().any(|job| job.programs.iter().any(|name| name == program));
        let release = workspace.target.join("release");
        if capstan.is_none() && (wanted("capstan") || jobs.iter().any(Job::needs_daemon)) {
            build("capstan", "capstan")?;
        }
        if wanted("crash-load") {
            build("scsi-tests", "crash-load")?;
        }
        let capstan = capstan.unwrap_or_else(|| release.join("capstan"));
        Ok(Self { source: workspace.root.clone(), capstan, load: release.join("crash-load") })
    }

    /// Puts into the shared directory what a job wants to find there, and makes its disks.
    pub(super) fn provide(&self, job: &Job, results: &Path) -> Result<()> {
        let share = results.join("share");
        fs::create_dir_all(&share)?;
        for name in &job.programs {
            let program = match name.as_str() {
                "capstan" => &self.capstan,
                "crash-load" => &self.load,
                _ => bail!("programs = {name}: there are capstan and crash-load"),
            };
            fs::copy(program, share.join(name)).with_context(|| program.display().to_string())?;
        }
        for name in &job.files {
            let file = Path::new(name).file_name().with_context(|| format!("files = {name}"))?;
            fs::copy(self.source.join(name), share.join(file)).with_context(|| name.clone())?;
        }
        for disk in disks(job, results) {
            let size = job.disks.as_ref().and_then(|(_, size)| mebibytes(size)).context("disks = NUMBER SIZE")?;
            File::create(&disk)?.set_len(size << 20)?;
        }
        Ok(())
    }
}

/// The files that are the disks of a job: they take no room until they are written.
pub(super) fn disks(job: &Job, results: &Path) -> Vec<PathBuf> {
    let number = job.disks.as_ref().map_or(0, |(number, _)| *number);
    (0..number).map(|index| results.join(format!("disk-{index}"))).collect()
}

fn build(package: &str, binary: &str) -> Result<()> {
    let mut build = process::cargo();
    build.args(["build", "--release", "--package", package, "--bin", binary]);
    if !process::succeeds(&mut build)? {
        bail!("{binary} does not build");
    }
    Ok(())
}
