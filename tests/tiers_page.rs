//! `docs/tiers.md`: its configurations are accepted, and its commands, typed in their order at a daemon that ships to a
//! directory, show what it shows. `<!-- test: ... -->` says what happens between them: `write`, `away`, `back`.
//!
//! Numbers, sizes, widths of columns and places differ each time; all else is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::transcript::{assert_alike, steps};
use support::{Library, TIMEOUT};

const MOUNT: &str = "/mnt/nas";

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tiers.md")).unwrap()
}

/// The configurations of the page.
fn configurations(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A directory with the files that they name.
fn site() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in [("tier.key", &[7; 32][..]), ("s3.credentials", b"[default]\n")] {
        let file = directory.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
    directory
}

fn until(library: &Library, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIMEOUT * 3, "{}", library.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn write(library: &Library, barcode: &str) {
    library.text(&["library", "load", barcode, "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    for number in 0..4 {
        tape.write_block(Bytes::from(vec![number; 1000])).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
}

async fn happen(library: &Library, mount: &Path, what: &str) {
    let state = || library.json(&["tier", "status"])[0]["state"].as_str().unwrap().to_owned();
    let elsewhere = mount.with_extension("away");
    match what.split_once(' ').unwrap_or((what, "")) {
        ("write", barcode) => {
            write(library, barcode).await;
            let tape = || library.json(&["tape", "show", barcode]);
            match mount.exists() {
                true => until(library, || tape()["tier_to"] == 5 && tape()["unshipped_bytes"] == 0),
                false => until(library, || state() == "unavailable"),
            }
        }
        ("away", "") => fs::rename(mount, elsewhere).unwrap(),
        ("back", "") => {
            fs::rename(elsewhere, mount).unwrap();
            until(library, || state() == "ready");
        }
        _ => panic!("{what}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_shows_is_what_comes() {
    let page = page();
    let directory = site();
    let mount = directory.path().join("nas");
    fs::create_dir(&mount).unwrap();
    let place = mount.display().to_string();
    let library = Library::start_in(directory, &configurations(&page)[0].replace(MOUNT, &place));
    let state = library.state().display().to_string();
    let mut typed = 0;
    for (number, part) in page.split("<!-- test: ").enumerate() {
        let (what, text) = part.split_once(" -->").unwrap_or(("", part));
        if number > 0 {
            happen(&library, &mount, what).await;
        }
        for step in steps(text) {
            let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
            let output = library.command(&words);
            let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let shown = shown.replace(&place, MOUNT).replace(&state, "capstan-data");
            assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
            assert_alike(&words, &step.expected, &shown);
            typed += 1;
        }
    }
    assert!(typed >= 8, "{typed}");
    until(&library, || library.json(&["tape", "show", "CAP002L8"])["tier_to"] == 5);
}

#[test]
fn every_configuration_of_the_page_is_accepted() {
    let page = page();
    let directory = site();
    let configurations = configurations(&page);
    assert_eq!(configurations.len(), 2);
    for configuration in configurations {
        fs::write(directory.path().join("capstan.toml"), configuration).unwrap();
        let output = support::capstan(directory.path(), &["check-config", "capstan.toml"]);
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), "capstan.toml: good");
    }
}
