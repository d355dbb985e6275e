//! `capstan init`: a configuration to start from, never over one that is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

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
                "error: {}/capstan.toml is there already\n  why:  a configuration is never overwritten\n  \
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
