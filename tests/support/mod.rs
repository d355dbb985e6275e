//! The real program: started, asked, stopped, killed.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod transcript;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use capstan_initiator::{Changer, Device, Login, Session, Tape};
use capstan_scsi::sam::Lun;
use serde_json::Value;
use tempfile::TempDir;

pub const INITIATOR: &str = "iqn.2026-11.io.capstan:test";
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Waits until it is so.
pub fn until(library: &Library, what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIMEOUT * 3, "{what}: {}", library.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A wrapping key of that byte, in a file that only its owner can read.
pub fn write_key(path: &Path, byte: u8) {
    fs::write(path, [byte; 32]).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// A state directory, and the daemon on it while one runs.
pub struct Library {
    directory: TempDir,
    arguments: Vec<String>,
    daemon: Option<Child>,
    pub portal: SocketAddr,
}

impl Library {
    /// A daemon on a new state directory and a free port.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with its tier paused from the beginning: every file stays where it was written, and none is added.
    pub fn start_unshipped() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let marks = directory.path().join("state/tiers");
        fs::create_dir_all(&marks).unwrap();
        fs::write(marks.join("local.paused"), "").unwrap();
        Self::start_in(directory, "")
    }

    /// The same, with a configuration file; an empty one is left out.
    pub fn start_with(config: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config)
    }

    /// The same in a directory, where files that the configuration names may be.
    pub fn start_in(directory: TempDir, config: &str) -> Self {
        let mut arguments = Vec::new();
        if !config.is_empty() {
            let file = directory.path().join("capstan.toml");
            fs::write(&file, config).unwrap();
            arguments = vec!["--config".to_owned(), file.to_str().unwrap().to_owned()];
        }
        let portal = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut library = Self { directory, arguments, daemon: None, portal };
        library.start_again();
        library
    }

    pub fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// The command that starts a daemon here.
    pub fn serve(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--state"]).arg(self.state());
        command.args(&self.arguments).stdin(Stdio::null());
        command
    }

    pub fn start_again(&mut self) {
        assert!(self.daemon.is_none());
        let log = OpenOptions::new().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        let mut daemon = self.serve().stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", self.log()));
        self.portal = ready["portal"][0].as_str().unwrap().parse().unwrap();
        self.daemon = Some(daemon);
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// SIGTERM, and status 0 soon.
    pub fn stop(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status().unwrap().success());
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = daemon.try_wait().unwrap() {
                assert!(status.success(), "{status}\n{}", self.log());
                return;
            }
            assert!(Instant::now() < deadline, "the daemon does not stop\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `capstan`, talking to this daemon.
    pub fn command(&self, words: &[&str]) -> Output {
        let socket = self.state().join("capstan.sock");
        capstan(self.directory.path(), &[&["--socket", socket.to_str().unwrap()], words].concat())
    }

    /// What it prints when it succeeds.
    pub fn text(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it answers in JSON when it succeeds.
    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[words, &["--json"]].concat())).unwrap()
    }

    /// Exit code and standard error when it fails.
    pub fn failure(&self, words: &[&str]) -> (i32, String) {
        failure(&self.command(words))
    }

    /// A logical unit of one of the targets.
    pub async fn device(&self, suffix: &str, lun: u8) -> Device {
        let target = format!("iqn.2026-11.io.capstan:gw{suffix}");
        let session = Session::log_in(self.portal, &Login::new(INITIATOR, &target), TIMEOUT).await.unwrap();
        Device::new(session, Lun::flat(lun), TIMEOUT)
    }

    pub async fn changer(&self) -> Changer {
        let changer = Changer::new(self.device(".changer", 0).await);
        changer.wait_ready().await.unwrap();
        changer
    }

    /// Drive N, whatever is in it.
    pub async fn drive(&self, index: u8) -> Tape {
        Tape::new(self.device(&format!(".drive-{index:02}"), 0).await)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// `capstan` in a directory.
pub fn capstan(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
    command.args(words).current_dir(directory).env_remove("CAPSTAN_SOCKET").stdin(Stdio::null()).output().unwrap()
}

/// Exit code and standard error of something that failed.
pub fn failure(output: &Output) -> (i32, String) {
    let code = output.status.code().unwrap();
    assert_ne!(code, 0, "{}", String::from_utf8_lossy(&output.stdout));
    (code, String::from_utf8(output.stderr.clone()).unwrap())
}
