//! A daemon under test: `capstan serve`, on a port of its own choice unless it is told one.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::program::Program;

/// Where it keeps everything, however often it dies.
pub(crate) struct Home {
    pub(crate) capstan: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) log: PathBuf,
    /// Where it listens.
    pub(crate) listen: String,
    pub(crate) config: Option<PathBuf>,
}

pub(crate) struct Daemon {
    program: Program,
    pub(crate) portal: String,
}

impl Home {
    pub(crate) fn new(capstan: &Path, directory: &Path) -> Self {
        Self {
            capstan: capstan.to_owned(),
            state: directory.join("state"),
            log: directory.join("daemon.log"),
            listen: "127.0.0.1:0".to_owned(),
            config: None,
        }
    }

    /// Starts it, and does not wait.
    pub(crate) fn spawn(&self) -> Result<Program> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.capstan);
        command.args(["serve", "--json", "--listen", &self.listen, "--state"]).arg(&self.state).stderr(log);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        Program::start(&mut command)
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&self) -> Result<Daemon> {
        Daemon::ready(self.spawn()?)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.state.join("capstan.sock")
    }

    /// Asks the daemon that runs.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.capstan);
        process::output(command.arg("--socket").arg(self.socket()).args(words).args(["--json", "--yes"]))
    }
}

impl Daemon {
    /// Waits until what was started is ready.
    pub(crate) fn ready(mut program: Program) -> Result<Self> {
        let ready = program.step().context("the daemon does not start")?;
        let portal = ready.pointer("/portal/0").and_then(Value::as_str).context("the daemon names no portal")?;
        Ok(Self { program, portal: portal.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    /// SIGKILL; an error if it has died already.
    pub(crate) fn kill(mut self) -> Result<()> {
        if !self.program.runs()? {
            bail!("the daemon has ended by itself: {:?}", self.program.end());
        }
        self.program.kill()?;
        Ok(())
    }

    /// SIGTERM, and a good end.
    pub(crate) fn stop(mut self) -> Result<()> {
        process::output(&mut process::command(&["kill", "-TERM", &self.program.id().to_string()]))?;
        self.program.end().context("the daemon was asked to stop")
    }
}
