//! Who is measured. Each one is a server in a process of its own, started for one measurement.

mod capstan;
mod null;
mod tgt;

pub(super) use capstan::{load as load_drives, server, target};

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::programs::Programs;
use crate::program::Program;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Subject {
    Capstan,
    /// With the lengths that Capstan negotiates.
    Tgt,
    /// As its package has it.
    TgtPackaged,
    Bare,
    Null,
}

impl Subject {
    pub(super) const ALL: [Self; 5] = [Self::Capstan, Self::Tgt, Self::TgtPackaged, Self::Bare, Self::Null];

    /// Its column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Capstan => "capstan",
            Self::Tgt => "tgt",
            Self::TgtPackaged => "tgt as packaged",
            Self::Bare => "bare limit",
            Self::Null => "null target",
        }
    }

    pub(super) fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "capstan" => Self::Capstan,
            "tgt" => Self::Tgt,
            "tgt-packaged" => Self::TgtPackaged,
            "bare" => Self::Bare,
            "null" => Self::Null,
            _ => bail!("--only {word}: there are capstan tgt tgt-packaged bare null"),
        })
    }

    /// Starts it with so many drives, each with a blank tape.
    pub(super) fn start(self, programs: &Programs, directory: &Path, drives: u32) -> Result<Server> {
        match self {
            Self::Capstan => capstan::start(&programs.capstan, directory, drives),
            Self::Tgt => tgt::start(directory, drives, true),
            Self::TgtPackaged => tgt::start(directory, drives, false),
            Self::Bare => bare(&programs.load, directory),
            Self::Null => null::start(&programs.null_target, directory, drives),
        }
    }
}

/// How its drives are reached.
pub(super) enum Access {
    Bare,
    Tape {
        /// The name of the target of a drive.
        target: fn(u32) -> String,
        lun: u8,
        /// It keeps nothing.
        forgets: bool,
    },
}

/// A running subject; killed when dropped.
pub(super) struct Server {
    pub(super) pid: u32,
    pub(super) portal: String,
    pub(super) access: Access,
    process: Process,
}

enum Process {
    Capstan(crate::daemon::Daemon),
    Tgt(tgt::Tgt),
    Other(Program),
}

impl Server {
    pub(super) fn stop(self) -> Result<()> {
        match self.process {
            Process::Capstan(daemon) => daemon.stop(),
            Process::Tgt(tgt) => tgt.stop(),
            Process::Other(mut program) => program.kill().map(drop),
        }
    }
}

/// Files over TCP, with nothing around them.
fn bare(load: &Path, directory: &Path) -> Result<Server> {
    let mut program = Program::start(Command::new(load).arg("bare-server").arg("--directory").arg(directory))?;
    let step = program.step()?;
    let portal = step.get("portal").and_then(Value::as_str).context("the bare server names no portal")?.to_owned();
    Ok(Server { pid: program.id(), portal, access: Access::Bare, process: Process::Other(program) })
}

/// An address that nobody listens at now.
pub(super) fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Until somebody listens there.
fn await_listener(address: &str, program: &mut Program) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if !program.runs()? || start.elapsed() > Duration::from_secs(20) {
            bail!("nobody listens at {address}");
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
