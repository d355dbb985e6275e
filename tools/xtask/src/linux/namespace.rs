//! A network namespace with a tap device: the daemon at 192.168.77.1, the guest at 192.168.77.2, nothing else.
//!
//! Named by our process id, so that runs do not disturb each other and a killed run's remains are recognised.

use std::path::Path;
use std::process::{Command, id};

use anyhow::{Context, Result};

use crate::process::{command, output};

/// Our side of the tap device: the daemon's, and the servers'.
pub(super) const HOST: &str = "192.168.77.1";
const PREFIX: &str = "capstan-";

/// Deleted when dropped.
pub(super) struct Namespace {
    name: String,
}

impl Namespace {
    pub(super) fn create() -> Result<Self> {
        sweep()?;
        let namespace = Self { name: format!("{PREFIX}{}", id()) };
        ip(&["netns", "add", &namespace.name])?;
        for line in [
            "link set lo up",
            "tuntap add dev tap0 mode tap",
            &format!("address add {HOST}/24 dev tap0"),
            "link set tap0 up",
        ] {
            output(namespace.command(&["ip"]).args(line.split(' '))).context("no tap device for the guest")?;
        }
        Ok(namespace)
    }

    /// A command inside. `ip` and `setpriv` become that command: killing the child kills it, and it does not outlive us.
    pub(super) fn command<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Command {
        let mut command = command(&["ip", "netns", "exec", &self.name, "setpriv", "--pdeathsig", "KILL"]);
        command.args(words);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = ip(&["netns", "delete", &self.name]) {
            eprintln!("{error:#}");
        }
    }
}

/// Deletes what a killed run left.
fn sweep() -> Result<()> {
    let list = ip(&["netns", "list"])?;
    for name in list.lines().filter_map(|line| line.split(' ').next()) {
        if owner(name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            ip(&["netns", "delete", name])?;
        }
    }
    Ok(())
}

/// The process that made a namespace of this name.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

fn ip(words: &[&str]) -> Result<String> {
    output(command(&["ip"]).args(words)).context("no network namespace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_have_an_owner() {
        assert_eq!(owner("capstan-12"), Some(12));
        assert_eq!(owner("capstan-lab"), None);
        assert_eq!(owner("12"), None);
    }
}
