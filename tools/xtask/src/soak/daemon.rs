//! The daemon that is killed: `capstan serve` on a port of its own choice.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::load::Program;
use crate::process;

/// Where it keeps everything, however often it dies.
pub(super) struct Home {
    pub(super) capstan: PathBuf,
    pub(super) state: PathBuf,
    pub(super) log: PathBuf,
}

pub(super) struct Daemon {
    program: Program,
    pub(super) portal: String,
}

impl Home {
    pub(super) fn new(capstan: &Path, directory: &Path) -> Self {
        Self { capstan: capstan.to_owned(), state: directory.join("state"), log: directory.join("daemon.log") }
    }

    /// Starts it, and does not wait.
    pub(super) fn spawn(&self) -> Result<Program> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.capstan);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--state"]).arg(&self.state).stderr(log);
        Program::start(&mut command)
    }

    /// Starts it, and waits until it is ready.
    pub(super) fn start(&self) -> Result<Daemon> {
        let mut program = self.spawn()?;
        let ready = program.step().context("the daemon does not start")?;
        let portal = ready.pointer("/portal/0").and_then(Value::as_str).context("the daemon names no portal")?;
        Ok(Daemon { program, portal: portal.to_owned() })
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.state.join("capstan.sock")
    }
}

impl Daemon {
    /// SIGKILL; an error if it has died already.
    pub(super) fn kill(mut self) -> Result<()> {
        if !self.program.runs()? {
            bail!("the daemon has ended by itself: {:?}", self.program.end());
        }
        self.program.kill()?;
        Ok(())
    }

    /// SIGTERM, and a good end.
    pub(super) fn stop(mut self) -> Result<()> {
        process::output(&mut process::command(&["kill", "-TERM", &self.program.id().to_string()]))?;
        self.program.end().context("the daemon was asked to stop")
    }
}
