//! `capstan init`: a configuration to start from, never over one that is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::{capstan, failure};

#[test]
fn what_init_writes_is_good_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap();
    let output = capstan(&here, &["init", "a/b", "--profile", "aws"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!(
            "wrote    {0}/capstan.toml\nstate    {0}/capstan-data\nstart    capstan serve --config {0}/capstan.toml\n\
             control  capstan --socket {0}/capstan-data/capstan.sock status\n",
            here.join("a/b").display()
        )
    );
    let file = std::fs::read_to_string(here.join("a/b/capstan.toml")).unwrap();
    for line in ["slots = 1500", "io_slots = 60", "# drives = 10", "# listen = [\"127.0.0.1:3260\"]"] {
        assert!(file.lines().any(|each| each == line), "{line} in\n{file}");
    }
    let output = capstan(&here, &["check-config", "a/b/capstan.toml"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a/b/capstan.toml: good\n");
    assert_eq!(
        failure(&capstan(&here, &["init", "a/b"])),
        (
            4,
            format!(
                "error: {}/capstan.toml is there already\n  why:  a configuration and its secrets are never overwritten\n  \
                 next: name another directory, or move the file away\n",
                here.join("a/b").display()
            )
        )
    );
}

#[test]
fn an_open_portal_is_written_only_when_it_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let (code, _) = failure(&capstan(directory.path(), &["init", "--listen", "[::]:3260"]));
    assert_eq!(code, 4);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let allowed = ["init", "--listen", "[::]:3260", "--allow-unauthenticated"];
    assert!(capstan(directory.path(), &allowed).status.success());
    assert!(capstan(directory.path(), &["check-config", "capstan.toml"]).status.success());
}

#[test]
fn an_initiator_gets_secrets_and_the_lines_for_its_host() {
    const HOST: &str = "iqn.1993-08.org.debian:01:abcdef";
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap();
    let init = ["init", ".", "--listen", "192.0.2.1:3260", "--initiator", HOST];
    let output = capstan(&here, &init);
    let shown = String::from_utf8(output.stdout).unwrap();
    let secret = |name: &str| {
        let file = here.join(name);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!((text.len(), text.lines().count()), (17, 1));
        text.trim_end().to_owned()
    };
    let (own, portal) = (secret("chap.secret"), secret("chap-mutual.secret"));
    assert_ne!(own, portal);
    let lines: Vec<&str> = shown.lines().collect();
    let place = here.display();
    assert_eq!(
        lines[..3],
        [
            format!("wrote    {place}/capstan.toml"),
            format!("secret   {place}/chap.secret"),
            format!("secret   {place}/chap-mutual.secret"),
        ]
    );
    assert_eq!(lines[7], format!("On the host with InitiatorName={HOST} in /etc/iscsi/initiatorname.iscsi, as root."));
    for (name, value) in [("username", HOST), ("password", &own), ("username_in", GATEWAY), ("password_in", &portal)] {
        let discovery =
            "iscsiadm -m discoverydb -t sendtargets -p 192.0.2.1:3260 -o update -n discovery.sendtargets.auth";
        let node = "iscsiadm -m node -p 192.0.2.1:3260 -o update -n node.session.auth";
        for line in [format!("  {discovery}.{name} -v {value}"), format!("  {node}.{name} -v {value}")] {
            assert_eq!(lines.iter().filter(|each| **each == line).count(), 1, "{line} in\n{shown}");
        }
    }
    let file = std::fs::read_to_string(here.join("capstan.toml")).unwrap();
    assert!(!file.contains(&own) && !file.contains(&portal));
    let table = format!(
        "\n[[iscsi.initiator]]\nname = \"{HOST}\"\nchap_user = \"{HOST}\"\nchap_secret_file = \"chap.secret\"\n\
         mutual_user = \"{GATEWAY}\"\nmutual_secret_file = \"chap-mutual.secret\"\n"
    );
    assert!(file.contains(&table), "{file}");
    assert!(
        capstan(std::path::Path::new("/"), &["check-config", here.join("capstan.toml").to_str().unwrap()])
            .status
            .success()
    );

    // Nothing is overwritten, and nothing new is left where one file is there.
    std::fs::remove_file(here.join("capstan.toml")).unwrap();
    std::fs::remove_file(here.join("chap.secret")).unwrap();
    let (code, said) = failure(&capstan(&here, &init));
    assert_eq!((code, said.lines().next()), (4, Some(&*format!("error: {place}/chap-mutual.secret is there already"))));
    assert_eq!(std::fs::read_dir(&here).unwrap().count(), 1);
    assert_eq!(secret("chap-mutual.secret"), portal);
}

#[test]
fn a_program_gets_the_same_in_json() {
    let directory = tempfile::tempdir().unwrap();
    let output = capstan(directory.path(), &["init", "--initiator", "eui.02004567A425678D", "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let secret = std::fs::read_to_string(directory.path().join("chap.secret")).unwrap();
    assert_eq!(answer["chap_secret"], secret.trim_end());
    assert_eq!((&answer["chap_user"], &answer["mutual_user"]), (&"eui.02004567A425678D".into(), &GATEWAY.into()));
    assert_eq!(answer["host"].as_array().unwrap().len(), 14);
}

const GATEWAY: &str = "iqn.2026-11.io.capstan:gw";

#[test]
fn an_initiator_has_a_name_and_an_open_portal_none() {
    let directory = tempfile::tempdir().unwrap();
    let (code, said) = failure(&capstan(directory.path(), &["init", "--initiator", "host"]));
    assert_eq!(code, 2);
    assert!(said.contains("use the host's InitiatorName"), "{said}");
    let both = ["init", "--initiator", GATEWAY, "--allow-unauthenticated"];
    assert_eq!(failure(&capstan(directory.path(), &both)).0, 2);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
