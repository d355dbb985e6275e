//! The daemon, with the library of a first start: ten drives, ten blank cartridges.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Access, Process, Server};
use crate::daemon::{Daemon, Home};

pub(super) fn start(capstan: &Path, directory: &Path, drives: u32) -> Result<Server> {
    let home = Home::new(capstan, directory);
    let daemon = home.start()?;
    load(&home, drives)?;
    Ok(server(daemon))
}

/// Puts a cartridge into each of the first drives.
pub(in crate::bench) fn load(home: &Home, drives: u32) -> Result<()> {
    for drive in 0..drives {
        let barcode = format!("CAP{:03}L8", drive + 1);
        home.ask(&["library", "load", &barcode, &drive.to_string()]).context("no cartridge gets into the drive")?;
    }
    Ok(())
}

/// A daemon that runs.
pub(in crate::bench) fn server(daemon: Daemon) -> Server {
    Server {
        pid: daemon.id(),
        portal: daemon.portal.clone(),
        access: Access::Tape { target, lun: 0, forgets: false },
        process: Process::Capstan(daemon),
    }
}

/// The target of a drive.
pub(in crate::bench) fn target(drive: u32) -> String {
    format!("iqn.2026-11.io.capstan:gw.drive-{drive:02}")
}
