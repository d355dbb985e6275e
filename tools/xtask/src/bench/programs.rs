//! What is measured, and what measures.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::options::Options;
use super::subject::Subject;
use crate::process;
use crate::workspace::Workspace;

pub(super) struct Programs {
    pub(super) capstan: PathBuf,
    pub(super) load: PathBuf,
    pub(super) null_target: PathBuf,
}

impl Programs {
    pub(super) fn build(workspace: &Workspace, options: &Options) -> Result<Self> {
        // One by one: together they could be built with other features than alone, and then all is built again.
        build(&["scsi-tests", "--bin", "bench-load"])?;
        if options.binary.is_none() {
            build(&["capstan", "--bin", "capstan"])?;
        }
        if options.only.contains(&Subject::Null) {
            build(&["capstan-portal", "--example", "null_target"])?;
        }
        let release = workspace.target.join("release");
        Ok(Self {
            capstan: options.binary.clone().unwrap_or_else(|| release.join("capstan")),
            load: release.join("bench-load"),
            null_target: release.join("examples/null_target"),
        })
    }
}

fn build(what: &[&str]) -> Result<()> {
    if !process::succeeds(process::cargo().args(["build", "--release", "--package"]).args(what))? {
        bail!("{} does not build", what.join(" "));
    }
    Ok(())
}
