//! The daemon under test: started in the namespace, killed or stopped when a job asks for it.

use std::ffi::OsString;
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
    results: PathBuf,
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
        Ok(Self { namespace, binary: binary.to_owned(), results: results.to_owned(), config, process: None })
    }

    /// Starts it, open to every initiator, and waits until its portal accepts a connection.
    pub(super) fn start(&mut self) -> Result<()> {
        let mut words: Vec<OsString> = ["--listen", PORTAL, "--allow-unauthenticated"].map(OsString::from).to_vec();
        if let Some(config) = &self.config {
            words.extend(["--config".into(), config.into()]);
        }
        self.start_with(&words)
    }

    /// The same with a configuration in the job's directory, where relative paths start, which says where to listen (at the usual place) and who
    /// may log in.
    pub(super) fn start_configured(&mut self, file: &str) -> Result<()> {
        let file = self.results.join(file);
        self.start_with(&["--config".into(), file.into()])
    }

    fn start_with(&mut self, words: &[OsString]) -> Result<()> {
        if self.process.is_some() {
            bail!("the daemon is running already");
        }
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = self.namespace.command(&[&self.binary]);
        command.arg("serve").args(words).arg("--state").arg(self.state());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(&self.results);
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

    fn state(&self) -> PathBuf {
        self.results.join("state")
    }

    fn log(&self) -> PathBuf {
        self.results.join("daemon.log")
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
        let log = fs::read(self.log())?;
        let log = String::from_utf8_lossy(&log);
        if let Some(line) = log.lines().find(|line| line.contains("panicked at")) {
            bail!("the daemon panicked: {line}");
        }
        Ok(())
    }

    /// As a machine that does not exist any more: nothing of its state is left.
    pub(super) fn lose(&self) -> Result<()> {
        if self.process.is_some() {
            bail!("the daemon is running");
        }
        Ok(fs::remove_dir_all(self.state())?)
    }

    /// Brings what is lost back from the tier of a configuration in the job's directory.
    pub(super) fn recover(&self, file: &str, words: &[&str]) -> Command {
        let mut command = self.namespace.command(&[&self.binary]);
        command.args(["recover", "--from", "tier", "--config"]).arg(self.results.join(file));
        command.arg("--state").arg(self.state()).args(words).current_dir(&self.results);
        command
    }

    /// The administrator's command line on this daemon, in the job's directory. The socket is a file: no namespace
    /// between.
    pub(super) fn administer(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--socket").arg(self.state().join("capstan.sock")).args(words).current_dir(&self.results);
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
