//! `capstan init`

mod host;
mod secrets;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use capstan_iscsi::chap::Secret;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::check_config;
use crate::cli::Globals;
use crate::config::{Account, Config, Initiator, Overrides, default_devices, is_initiator_name, template};
use crate::failure::Failure;
use host::Login;
use secrets::NewFiles;

/// Write a configuration file to start from
#[derive(Args)]
pub(crate) struct Init {
    /// Directory for it
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Address that initiators will connect to
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = super::address, default_value = "127.0.0.1:3260")]
    listen: SocketAddr,
    /// Shape of the library
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// Only this initiator may log in, by CHAP with new secrets; what its host has to do is printed
    #[arg(long, value_name = "IQN", value_parser = initiator_name)]
    initiator: Option<String>,
    /// Let anyone who reaches an address beyond loopback use every cartridge
    #[arg(long, conflicts_with = "initiator")]
    allow_unauthenticated: bool,
}

/// Shapes of libraries that people move here from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Profile {
    /// 1,500 slots and 60 import/export slots, as a tape gateway at Amazon has
    Aws,
}

#[derive(Serialize)]
struct Answer {
    config: PathBuf,
    state_dir: PathBuf,
    start: String,
    #[serde(flatten)]
    access: Option<Access>,
}

/// What an initiator needs to log in.
#[derive(Serialize)]
struct Access {
    initiator: String,
    chap_user: String,
    chap_secret: String,
    chap_secret_file: PathBuf,
    mutual_user: String,
    mutual_secret: String,
    mutual_secret_file: PathBuf,
    /// Commands for its host.
    host: Vec<String>,
}

const NAME: &str = "capstan.toml";
const SECRET: &str = "chap.secret";
const MUTUAL_SECRET: &str = "chap-mutual.secret";

impl Init {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| {
            Failure::failed(format!("no configuration can be written to {}", self.dir.display())).why(error.to_string())
        };
        let mut config = self.judged()?;
        fs::create_dir_all(&self.dir).map_err(cannot)?;
        let directory = self.dir.canonicalize().map_err(cannot)?;
        let file = directory.join(NAME);
        let state_dir = directory.join("capstan-data");
        config.gateway.state_dir.clone_from(&state_dir);
        if self.profile == Some(Profile::Aws) {
            config.library.slots = 1_500;
            config.library.io_slots = 60;
        }
        let access = self.initiator.as_ref().map(|name| self.access(name, &config, &directory)).transpose()?;
        let mut files = NewFiles::default();
        if let Some(access) = &access {
            config.iscsi.initiators = vec![access.initiator()];
            files.add(access.chap_secret_file.clone(), format!("{}\n", access.chap_secret), 0o600);
            files.add(access.mutual_secret_file.clone(), format!("{}\n", access.mutual_secret), 0o600);
        }
        files.add(file.clone(), template(&config), 0o666);
        files.write()?;
        let start = format!("capstan serve --config {}", file.display());
        globals.answer(&Answer { config: file, state_dir, start, access }, text);
        Ok(())
    }

    /// The configuration so far; an open portal is refused. One with an initiator that authenticates is not open.
    fn judged(&self) -> Result<Config, Failure> {
        let overrides = Overrides {
            listen: if self.initiator.is_some() { Vec::new() } else { vec![self.listen] },
            allow_unauthenticated: self.allow_unauthenticated,
            ..Overrides::default()
        };
        let mut config = Config::load(None, &overrides).map_err(|mistakes| check_config::failure(&mistakes))?;
        config.iscsi.listen = vec![self.listen];
        Ok(config)
    }

    /// New secrets for an initiator, and the lines that its host needs.
    fn access(&self, name: &str, config: &Config, directory: &Path) -> Result<Access, Failure> {
        let (chap_secret, mutual_secret) = (secrets::secret()?, secrets::secret()?);
        let mutual_user = format!("iqn.2026-11.io.capstan:{}", config.gateway.name);
        let login = Login { listen: self.listen, own: (name, &chap_secret), portal: (&mutual_user, &mutual_secret) };
        Ok(Access {
            host: login.lines(),
            initiator: name.to_owned(),
            chap_user: name.to_owned(),
            chap_secret,
            chap_secret_file: directory.join(SECRET),
            mutual_user,
            mutual_secret,
            mutual_secret_file: directory.join(MUTUAL_SECRET),
        })
    }
}

impl Access {
    /// As the configuration has it.
    fn initiator(&self) -> Initiator {
        let account = |user: &str, file: &str, secret: &str| Account {
            user: user.to_owned(),
            file: PathBuf::from(file),
            secret: Secret::new(secret.as_bytes()),
        };
        Initiator {
            name: self.initiator.clone(),
            chap: Some(account(&self.chap_user, SECRET, &self.chap_secret)),
            mutual: Some(account(&self.mutual_user, MUTUAL_SECRET, &self.mutual_secret)),
            devices: default_devices(),
        }
    }
}

fn text(answer: &Answer) -> String {
    let mut text = format!("wrote    {}\n", answer.config.display());
    if let Some(access) = &answer.access {
        text.push_str(&format!("secret   {}\n", access.chap_secret_file.display()));
        text.push_str(&format!("secret   {}\n", access.mutual_secret_file.display()));
    }
    text.push_str(&format!(
        "state    {}\nstart    {}\ncontrol  capstan --socket {} status\n",
        answer.state_dir.display(),
        answer.start,
        answer.state_dir.join("capstan.sock").display()
    ));
    if let Some(access) = &answer.access {
        text.push_str(&format!(
            "\nOn the host with InitiatorName={} in /etc/iscsi/initiatorname.iscsi, as root.\n\
             These lines are secret: the passwords are in them.\n",
            access.initiator
        ));
        for line in &access.host {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

fn initiator_name(name: &str) -> Result<String, String> {
    if is_initiator_name(name) {
        Ok(name.to_owned())
    } else {
        Err("use the host's InitiatorName, as iqn.1993-08.org.debian:01:abcdef".to_owned())
    }
}
