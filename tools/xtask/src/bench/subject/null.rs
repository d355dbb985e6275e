//! Capstan's portal with drives that forget: what sockets and sessions cost by themselves.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Access, Process, Server, await_listener, free_address};
use crate::program::Program;

pub(super) fn start(program: &Path, directory: &Path, drives: u32) -> Result<Server> {
    let portal = free_address()?;
    let mut command = Command::new(program);
    command.args([&portal, &drives.to_string()]).stderr(File::create(directory.join("null.log"))?);
    let mut program = Program::start(&mut command)?;
    await_listener(&portal, &mut program)?;
    let access = Access::Tape { target, lun: 0, forgets: true };
    Ok(Server { pid: program.id(), portal, access, process: Process::Other(program) })
}

fn target(drive: u32) -> String {
    format!("iqn.2026-11.io.capstan:null.drive-{drive:02}")
}
