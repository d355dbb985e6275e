//! What a job asks of the host while it runs: files in the shared directory.
//!
//! The job writes `request`, one word a line, and waits for `answer`: the exit status on the first line, then the output.
//! Both are written under another name and renamed, so neither side sees half of one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::daemon::Daemon;
use super::server::Server;

/// The host's end.
pub(super) struct Desk {
    directory: PathBuf,
}

impl Desk {
    pub(super) fn new(share: &Path) -> Self {
        Self { directory: share.to_owned() }
    }

    /// Serves the request that is there, if one is.
    pub(super) fn serve(&self, daemon: Option<&mut Daemon<'_>>, server: &mut Server<'_>) -> Result<()> {
        let request = self.directory.join("request");
        let Ok(text) = fs::read_to_string(&request) else {
            return Ok(());
        };
        fs::remove_file(&request)?;
        let words: Vec<&str> = text.lines().collect();
        let answer =
            perform(&words, &self.directory, daemon, server).unwrap_or_else(|error| format!("125\n{error:#}\n"));
        let draft = self.directory.join("answer.draft");
        fs::write(&draft, answer)?;
        fs::rename(draft, self.directory.join("answer"))?;
        Ok(())
    }
}

fn perform(words: &[&str], share: &Path, daemon: Option<&mut Daemon<'_>>, server: &mut Server<'_>) -> Result<String> {
    match words {
        ["server", "start"] => server.start()?,
        ["server", "kill"] => server.kill()?,
        ["server", "freeze"] => server.signal("STOP")?,
        ["server", "thaw"] => server.signal("CONT")?,
        ["random", name, bytes] => random(&share.join(name), bytes.parse()?)?,
        _ => return ask_daemon(words, daemon.context("this job has no daemon")?),
    }
    Ok("0\n".to_owned())
}

/// What a command ends with and says.
fn answer(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok(format!("{}\n{text}", output.status.code().unwrap_or(255)))
}

/// The guest has random bytes too, but not many in a second.
fn random(file: &Path, bytes: u64) -> Result<()> {
    let mut source = File::open("/dev/urandom")?.take(bytes);
    io::copy(&mut source, &mut File::create(file)?)?;
    Ok(())
}

fn ask_daemon(words: &[&str], daemon: &mut Daemon<'_>) -> Result<String> {
    match words {
        ["daemon", "kill"] => daemon.kill()?,
        ["daemon", "stop"] => daemon.stop()?,
        ["daemon", "start"] => daemon.start()?,
        ["daemon", "start", file] => daemon.start_configured(file)?,
        ["daemon", "lose"] => daemon.lose()?,
        ["daemon", "recover", file, words @ ..] => return answer(&mut daemon.recover(file, words)),
        ["capstan", words @ ..] => return answer(&mut daemon.administer(words)),
        _ => bail!("unknown request: {}", words.join(" ")),
    }
    Ok("0\n".to_owned())
}
