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
        let mut build = process::cargo();
        build.args(["build", "--release", "--package", "scsi-tests", "--bin", "crash-load"]);
        if capstan.is_none() {
            build.args(["--package", "capstan", "--bin", "capstan"]);
        }
        if !process::succeeds(&mut build)? {
            bail!("the daemon or the load does not build");
        }
        let release = workspace.target.join("release");
        let capstan = capstan.map_or_else(|| release.join("capstan"), Path::to_owned);
        Ok(Self { capstan, load: release.join("crash-load") })
    }
}
