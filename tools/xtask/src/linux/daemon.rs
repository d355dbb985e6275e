//! The daemon under test: started in the namespace, killed or stopped when a job asks for it.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::namespace::Namespace;
use crate::process;

const PORTAL: &str = "192.168.77.1:3260";

/// A daemon with a state directory; it outlives the process, which may be killed and started again.
pub(super) struct Daemon<'a> {
    namespace: &'a Namespace,
    binary: PathBuf,
    state: PathBuf,
    log: PathBuf,
    config: Option<PathBuf>,
    process: Option<Child>,
}

impl<'a> Daemon<'a> {
    /// A daemon that is not running yet. Without `tape_size` it runs without a configuration file.
    pub(super) fn new(
        namespace: &'a Namespace,
        binary: &Path,
        results: &Path,
        tape_size: Option<&str>,
    ) -> Result<Self> {
        let config = match tape_size {
            None => None,
            Some(size) => {
                let file = results.join("capstan.toml");
                fs::write(&file, format!("[library]\ntape_size = \"{size}\"\n"))?;
                Some(file)
            }
        };
        Ok(Self {
            namespace,
            binary: binary.to_owned(),
            state: results.join("state"),
            log: results.join("daemon.log"),
            config,
            process: None,
        })
    }

    /// Starts it and waits until its portal accepts a connection.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.process.is_some() {
            bail!("the daemon is running already");
        }
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = self.namespace.command(&[&self.binary]);
        command.args(["serve", "--listen", PORTAL, "--allow-unauthenticated", "--state"]).arg(&self.state);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn().with_context(|| self.binary.display().to_string())?);
        self.await_portal()
    }

    fn await_portal(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let (host, port) = PORTAL.split_once(':').unwrap_or_default();
        let probe = format!("exec 3<>/dev/tcp/{host}/{port}");
        while Instant::now() < deadline {
            self.alive()?;
            if process::output(&mut self.namespace.command(&["bash", "-c", &probe])).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        bail!("the daemon does not listen at {PORTAL}")
    }

    /// An error if it ended by itself.
    pub(super) fn alive(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process
            && let Some(status) = process.try_wait()?
        {
            self.process = None;
            bail!("the daemon ended by itself: {status}");
        }
        Ok(())
    }

    /// As a crash: SIGKILL.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the daemon is not running")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// As an administrator: SIGTERM, then status 0 within half a minute.
    pub(super) fn stop(&mut self) -> Result<()> {
        let pid = self.process.as_ref().context("the daemon is not running")?.id();
        process::output(process::command(&["kill", "-TERM", &pid.to_string()]).stdin(Stdio::null()))?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let status = self.process.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = status {
                self.process = None;
                if !status.success() {
                    bail!("the daemon was asked to stop and ended with {status}");
                }
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        self.kill()?;
        bail!("the daemon did not stop within 30 s of SIGTERM")
    }

    /// At the end of a job: still running or killed on purpose, stops when asked, and has never panicked.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.alive()?;
        if self.process.is_some() {
            self.stop()?;
        }
        let log = fs::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        if let Some(line) = log.lines().find(|line| line.contains("panicked at")) {
            bail!("the daemon panicked: {line}");
        }
        Ok(())
    }

    /// The administrator's command line on this daemon. The socket is a file: no namespace between.
    pub(super) fn administer(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--socket").arg(self.state.join("capstan.sock")).args(words);
        command
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if self.process.is_some() {
            let _ = self.kill();
        }
    }
}
