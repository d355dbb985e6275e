//! Who may use what: the configuration's rules, `capstan init`, and a daemon that keeps to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use capstan_initiator::{Credentials, Device, InitiatorError, Login, LoginStatus, Secret, Session, discover_as};
use capstan_scsi::sam::Lun;
use support::{Library, TIMEOUT, capstan, failure};

const HOST: &str = "iqn.1993-08.org.debian:01:abcdef";
const TARGET: &str = "iqn.2026-11.io.capstan:gw";
const SECRET: &str = "0123456789abcdef";

/// A configuration with one initiator in a directory; `keys` are more of its keys.
fn site(directory: &Path, iscsi: &str, keys: &str) {
    for (name, secret) in [("own", SECRET), ("same", SECRET), ("other", "fedcba9876543210"), ("third", "third secret")]
    {
        secret_file(directory, name, &format!("{secret}\n"), 0o600);
    }
    let text = format!("[iscsi]\n{iscsi}\n[[iscsi.initiator]]\nname = \"{HOST}\"\n{keys}\n");
    fs::write(directory.join("c.toml"), text).unwrap();
}

fn secret_file(directory: &Path, name: &str, text: &str, mode: u32) {
    fs::write(directory.join(name), text).unwrap();
    fs::set_permissions(directory.join(name), Permissions::from_mode(mode)).unwrap();
}

const CHAP: &str = "chap_user = \"backup\"\nchap_secret_file = \"own\"";

/// From another directory: the secrets are beside the file.
fn check(directory: &Path) -> Result<(), (i32, String)> {
    let elsewhere = tempfile::tempdir().unwrap();
    let file = directory.join("c.toml");
    let output = capstan(elsewhere.path(), &["check-config", file.to_str().unwrap()]);
    let shown = String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap();
    assert!(!shown.contains(SECRET), "{shown}");
    if output.status.success() { Ok(()) } else { Err(failure(&output)) }
}

fn refused(directory: &Path, code: i32, what: &str) {
    let (status, said) = check(directory).unwrap_err();
    assert_eq!(status, code, "{said}");
    assert!(said.contains(what), "{said}");
}

#[test]
fn a_portal_beyond_loopback_opens_for_initiators_that_authenticate() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let (open, allow) = ("listen = [\"0.0.0.0:3260\"]", "allow_unauthenticated = true");
    site(here, open, CHAP);
    assert_eq!(check(here), Ok(()));
    site(here, open, "");
    refused(here, 4, &format!("c.toml:2:10: the portal 0.0.0.0:3260 would let anyone who says that it is {HOST}"));
    site(here, &format!("{open}\n{allow}"), "");
    assert_eq!(check(here), Ok(()));
    site(here, &format!("{open}\n{allow}"), CHAP);
    refused(
        here,
        1,
        "c.toml:3:25: iscsi.allow_unauthenticated is true, but every [[iscsi.initiator]] has to authenticate",
    );
    site(here, "", &format!("{CHAP}\nmutual_user = \"gw\"\nmutual_secret_file = \"other\"\ndevices = [\"drive-0*\"]"));
    assert_eq!(check(here), Ok(()));
}

#[test]
fn secrets_are_judged_without_being_shown() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    site(here, "", &format!("{CHAP}\nmutual_user = \"gw\"\nmutual_secret_file = \"same\""));
    refused(here, 1, "c.toml:8:22: iscsi.initiator.mutual_secret_file: this is the secret of the same initiator");
    let another = |own: &str, mutual: &str| {
        let more = format!(
            "\n[[iscsi.initiator]]\nname = \"{HOST}0\"\nchap_user = \"b\"\nchap_secret_file = \"{own}\"\n\
             mutual_user = \"gw\"\nmutual_secret_file = \"{mutual}\""
        );
        site(here, "", &format!("{CHAP}\nmutual_user = \"gw\"\nmutual_secret_file = \"other\"{more}"));
    };
    another("third", "same");
    refused(here, 1, &format!("c.toml:14:22: iscsi.initiator.mutual_secret_file: this is the secret of {HOST}\n"));
    another("other", "third");
    refused(here, 1, &format!("c.toml:12:20: iscsi.initiator.chap_secret_file: this is the mutual secret of {HOST}\n"));
    another("third", "other");
    assert_eq!(check(here), Ok(()));
    for (text, mode, code, what) in [
        (SECRET, 0o644, 4, "has mode 0644: others than its owner have a way to the secret"),
        ("", 0o600, 1, "is empty"),
        ("01234567890", 0o600, 1, "has a secret of 11 bytes"),
        ("0123456789abcdef\n\n", 0o600, 1, "has a line end or a zero inside the secret"),
    ] {
        site(here, "", CHAP);
        secret_file(here, "own", text, mode);
        refused(here, code, &format!("c.toml:6:20: iscsi.initiator.chap_secret_file: {}/own {what}", here.display()));
    }
}

/// A login as the host, with a secret.
fn login(target: Option<&str>, secret: Option<&str>) -> Login {
    let login = target.map_or_else(|| Login::discovery(HOST), |target| Login::new(HOST, target));
    let credentials = |secret: &str| Credentials { user: "backup".into(), secret: Secret::new(secret.as_bytes()) };
    Login { chap: secret.map(credentials), ..login }
}

/// A daemon with one initiator; its log tells everything.
fn daemon(iscsi: &str, keys: &str) -> Library {
    let directory = tempfile::tempdir().unwrap();
    site(directory.path(), iscsi, keys);
    let text = fs::read_to_string(directory.path().join("c.toml")).unwrap();
    Library::start_in(directory, &format!("{text}\n[log]\nlevel = \"trace\"\n"))
}

async fn status(library: &Library, login: &Login) -> Option<LoginStatus> {
    match Session::log_in(library.portal, login, TIMEOUT).await {
        Ok(_) => None,
        Err(InitiatorError::Login(status)) => Some(status),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_host_gets_in_with_its_secret_to_its_devices() {
    let library = daemon("", &format!("{CHAP}\ndevices = [\"changer\", \"drive-01\"]"));
    let target = |suffix: &str| format!("{TARGET}.{suffix}");
    let found = discover_as(library.portal, &login(None, Some(SECRET)), TIMEOUT).await.unwrap();
    let names: Vec<&str> = found.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, [target("changer"), target("drive-01")]);

    let to = |suffix: &str, secret| login(Some(&target(suffix)), secret);
    assert_eq!(status(&library, &to("drive-01", Some(SECRET))).await, None);
    for (login, expected) in [
        (to("drive-01", Some("0123456789abcdee")), LoginStatus::AUTHENTICATION_FAILURE),
        (to("drive-00", Some(SECRET)), LoginStatus::AUTHORIZATION_FAILURE),
        (login(None, None), LoginStatus::AUTHENTICATION_FAILURE),
        (to("drive-01", None), LoginStatus::AUTHENTICATION_FAILURE),
        (
            Login { initiator_name: format!("{HOST}0"), ..to("drive-01", Some(SECRET)) },
            LoginStatus::AUTHORIZATION_FAILURE,
        ),
    ] {
        assert_eq!(status(&library, &login).await, Some(expected), "{login:?}");
    }

    let _session = Session::log_in(library.portal, &to("changer", Some(SECRET)), TIMEOUT).await.unwrap();
    let said =
        [library.log(), library.text(&["session", "list", "--json"]), library.text(&["status", "--json"])].concat();
    assert!(said.contains(HOST) && !said.contains(SECRET), "{said}");
}

#[tokio::test]
async fn behind_one_target_a_host_sees_its_devices_at_their_numbers() {
    let library = daemon("layout = \"single-target\"", "devices = [\"drive-03\"]");
    let session = Session::log_in(library.portal, &login(Some(TARGET), None), TIMEOUT).await.unwrap();
    let lun = Lun::flat(0);
    assert_eq!(Device::new(session, lun, TIMEOUT).report_luns().await.unwrap(), [Lun::flat(4)]);
}

/// With many hosts and loaded cartridges the usual 1,024 would be too few.
#[test]
fn a_daemon_may_have_as_many_files_open_as_the_system_allows() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Command::new("sh")
        .args(["-c", "ulimit -S -n 300 && ulimit -H -n 900 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_capstan")])
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--state", "state"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.id()));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let limits = limits.unwrap();
    let open_files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(open_files.split_whitespace().collect::<Vec<_>>()[3..5], ["900", "900"], "{ready}");
}
