//! The daemon of the demo: this program, in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::scratch::Scratch;

/// How long it may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon; dropped, it is killed.
pub(super) struct Daemon {
    process: Child,
    /// Where it listens.
    pub(super) portal: SocketAddr,
}

/// What `capstan serve --json` says when it is ready, as far as it matters here.
#[derive(Deserialize)]
struct Ready {
    portal: Vec<SocketAddr>,
}

impl Daemon {
    /// Starts it on a free port and waits until it is ready.
    pub(super) async fn start(scratch: &Scratch) -> Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        let mut process = Command::new(program)
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--state"])
            .arg(scratch.state())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(scratch.log()?)
            .spawn()
            .context("the daemon cannot be started")?;
        let stdout = process.stdout.take().context("the daemon has no output")?;
        let first = tokio::task::spawn_blocking(move || first_line(stdout));
        let line = match tokio::time::timeout(PATIENCE, first).await {
            Ok(line) => line??,
            Err(_) => {
                let _ = process.kill();
                bail!("the daemon is not ready after {} s", PATIENCE.as_secs());
            }
        };
        let ready: Result<Ready, _> = serde_json::from_str(&line);
        let portal = ready.ok().and_then(|ready| ready.portal.first().copied());
        let Some(portal) = portal else {
            let _ = process.kill();
            let _ = process.wait();
            bail!("the daemon did not start");
        };
        Ok(Self { process, portal })
    }

    /// SIGKILL, and wait until it is gone.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// SIGTERM, and wait until it has ended by itself.
    pub(super) async fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("the daemon has no number")?;
        kill_process(pid, Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "the daemon was asked to stop and ended with {status}");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the daemon did not stop within {} s", PATIENCE.as_secs())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first line; what comes after it is read and forgotten, so that the daemon never waits for a reader.
fn first_line(stdout: impl Read + Send + 'static) -> Result<String> {
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    Ok(line)
}
