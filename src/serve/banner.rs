//! What a started daemon says: where everything is, and how a host logs in.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use crate::commands::version::VERSION;
use crate::output;

/// What a started daemon says. `serve --json` prints it on one line; the demo and the tests wait for that.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Banner {
    /// Where everything is kept.
    pub(super) state_dir: PathBuf,
    /// This is the first start on it.
    pub(super) first_start: bool,
    /// Where hosts log in.
    pub(super) portal: Vec<SocketAddr>,
    /// How many initiators are listed; 0: everyone may log in.
    pub(super) initiators: usize,
    /// How many of them need not authenticate.
    pub(super) without_chap: usize,
    /// What they find there.
    pub(super) targets: Vec<String>,
    /// How many drives.
    pub(super) drives: usize,
    /// How many cartridges, and what fits on them all.
    pub(super) tapes: u64,
    /// Bytes that fit on all cartridges.
    pub(super) capacity: u64,
    /// Bytes on all cartridges.
    pub(super) used: u64,
    /// Bytes that are free where the cartridges are.
    pub(super) free: u64,
    /// Socket of the admin API.
    pub(super) admin_socket: PathBuf,
    /// The socket is where `capstan` looks for it.
    #[serde(skip)]
    pub(super) usual_socket: bool,
}

impl Banner {
    /// For people.
    pub(super) fn text(&self) -> String {
        let first = self.first_start;
        let mut text = format!("Capstan {VERSION} is running.\n\n");
        let mut line = |label: &str, value: &str| text.push_str(&format!("  {label:<8}{value}\n"));
        let made = if first { ", made just now" } else { "" };
        line("state", &format!("{}{made} ({} free)", self.state_dir.display(), output::size(self.free)));
        for portal in &self.portal {
            line("portal", &format!("{portal} ({})", self.reach(portal.ip().is_loopback())));
        }
        line("targets", &self.targets_text());
        line(
            "tapes",
            &format!(
                "{} for {}, {} on them{}",
                output::count(self.tapes, "cartridge"),
                output::size(self.capacity),
                output::size(self.used),
                made
            ),
        );
        line("admin", &self.admin_socket.display().to_string());
        if self.initiators == 0 {
            text.push_str("\nLog in from a Linux host with open-iscsi, as root:\n");
        } else {
            text.push_str(
                "\nLog in from a listed Linux host with open-iscsi, as root, with CHAP where it is asked for:\n",
            );
        }
        for portal in self.portal.iter().take(1) {
            let portal = if portal.ip().is_unspecified() {
                format!("ADDRESS-OF-THIS-MACHINE:{}", portal.port())
            } else {
                portal.to_string()
            };
            text.push_str(&format!("  iscsiadm -m discovery -t sendtargets -p {portal}\n"));
            text.push_str(&format!("  iscsiadm -m node -p {portal} --login\n"));
        }
        let socket =
            if self.usual_socket { String::new() } else { format!(" --socket {}", self.admin_socket.display()) };
        text.push_str(&format!("Look at the library:    capstan{socket} status\n"));
        text.push_str("Stop, all on disk:      Ctrl-C\n");
        text
    }

    /// Who gets in at an address.
    fn reach(&self, is_loopback: bool) -> String {
        let listed = u64::try_from(self.initiators).unwrap_or(u64::MAX);
        let proof = match self.without_chap {
            0 => " with CHAP".to_owned(),
            all if all == self.initiators => " without proof".to_owned(),
            some => format!(", {some} of them without proof"),
        };
        match (self.initiators, is_loopback) {
            (0, true) => "this machine only".to_owned(),
            (0, false) => "open to anyone who reaches it".to_owned(),
            (_, true) => format!("this machine only, {}{proof}", output::count(listed, "listed initiator")),
            (_, false) => format!("{}{proof}", output::count(listed, "listed initiator")),
        }
    }

    fn targets_text(&self) -> String {
        match self.targets.as_slice() {
            [first, second, .., last] => format!("{first}\n          {second} to {last}"),
            few => few.join("\n          "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_people() {
        let target = |suffix: &str| format!("iqn.2026-11.io.capstan:gw.{suffix}");
        let banner = Banner {
            state_dir: "./capstan-data".into(),
            first_start: true,
            portal: vec!["127.0.0.1:3260".parse().unwrap()],
            initiators: 0,
            without_chap: 0,
            targets: vec![target("changer"), target("drive-00"), target("drive-01"), target("drive-02")],
            drives: 3,
            tapes: 10,
            capacity: 100 << 30,
            used: 0,
            free: 1 << 30,
            admin_socket: "./capstan-data/capstan.sock".into(),
            usual_socket: true,
        };
        assert_eq!(
            banner.text(),
            format!(
                "Capstan {VERSION} is running.\n\n  \
                 state   ./capstan-data, made just now (1 GiB free)\n  \
                 portal  127.0.0.1:3260 (this machine only)\n  \
                 targets iqn.2026-11.io.capstan:gw.changer\n          \
                 iqn.2026-11.io.capstan:gw.drive-00 to iqn.2026-11.io.capstan:gw.drive-02\n  \
                 tapes   10 cartridges for 100 GiB, 0 B on them, made just now\n  \
                 admin   ./capstan-data/capstan.sock\n\n\
                 Log in from a Linux host with open-iscsi, as root:\n  \
                 iscsiadm -m discovery -t sendtargets -p 127.0.0.1:3260\n  \
                 iscsiadm -m node -p 127.0.0.1:3260 --login\n\
                 Look at the library:    capstan status\n\
                 Stop, all on disk:      Ctrl-C\n"
            )
        );
        let reach =
            |initiators, without_chap, loopback| Banner { initiators, without_chap, ..banner.clone() }.reach(loopback);
        assert_eq!(reach(0, 0, false), "open to anyone who reaches it");
        assert_eq!(reach(1, 0, false), "1 listed initiator with CHAP");
        assert_eq!(reach(2, 2, true), "this machine only, 2 listed initiators without proof");
        assert_eq!(reach(3, 1, false), "3 listed initiators, 1 of them without proof");
    }
}
