//! The daemon and the load.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

pub(super) struct Programs {
    pub(super) capstan: PathBuf,
    pub(super) load: PathBuf,
}

impl Programs {
    pub(super) fn build(workspace: &Workspace, capstan: Option<&Path>) -> Result<Self> {
        // One by one: together they could be built with other features than alone, and then all is built again.
        build_one("scsi-tests", "crash-load")?;
        if capstan.is_none() {
            build_one("capstan", "capstan")?;
        }
        let release = workspace.target.join("release");
        let capstan = capstan.map_or_else(|| release.join("capstan"), Path::to_owned);
        Ok(Self { capstan, load: release.join("crash-load") })
    }
}

fn build_one(package: &str, binary: &str) -> Result<()> {
    let mut build = process::cargo();
    build.args(["build", "--release", "--package", package, "--bin", binary]);
    if !process::succeeds(&mut build)? {
        bail!("{binary} does not build");
    }
    Ok(())
}
