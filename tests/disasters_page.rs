//! `docs/operations/disasters.md`: its commands, typed in their order at a gateway that ships to a directory, show what it
//! shows. `<!-- test: ... -->` says what happens between them.
//!
//! Numbers, sizes, times, identities and widths of columns differ each time; all else is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use support::transcript::{assert_alike, steps};
use support::{Library, until, write_key};

struct Site {
    library: Library,
    directory: PathBuf,
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_tree(&path, &target);
        } else if path.is_file() {
            fs::copy(path, target).unwrap();
        }
    }
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        write_key(&path.join("tier.key"), 1);
        let tier = path.join("nas");
        let config = format!(
            "[[tier]]\nname = \"nas\"\nkind = \"dir\"\npath = \"{}\"\nencrypt_key_file = \"tier.key\"\n",
            tier.display()
        );
        let site = Self { library: Library::start_in(directory, &config), directory: path };
        site.settled();
        site
    }

    /// Everything is in the tier.
    fn settled(&self) {
        let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let manifests =
            || entries(self.directory.join("nas/v1/tapes")).flat_map(entries).map(|tape| tape.join("manifest"));
        until(&self.library, "claimed", || manifests().filter(|manifest| manifest.exists()).count() == 10);
        let states = || {
            let gateway = entries(self.directory.join("nas/v1/gateways")).next().unwrap();
            entries(gateway.join("state")).filter_map(|path| path.file_name()?.to_str()?.parse().ok()).max()
        };
        until(&self.library, "recorded", || states() >= Some(change(&self.library.state())));
    }

    async fn happen(&mut self, what: &str) {
        let (state, copy) = (self.library.state(), self.directory.join("copy"));
        let key = self.directory.join("tier.key");
        match what {
            "lose" => {
                self.settled();
                self.library.stop();
                fs::remove_dir_all(state).unwrap();
            }
            "lose copy" => fs::remove_dir_all(state).unwrap(),
            "start" => {
                self.library.start_again();
                let tapes = || self.library.json(&["tape", "list"]);
                let is_known = |tape: &serde_json::Value| tape["tier_to"] == tape["durable_to"];
                until(&self.library, "looked at", || tapes().as_array().unwrap().iter().all(is_known));
            }
            "start copy" => {
                fs::remove_dir_all(&state).unwrap();
                copy_tree(&copy, &state);
                self.library.start_again();
                let is_told = || self.library.text(&["events"]).contains("another gateway goes on");
                until(&self.library, "fenced", is_told);
            }
            "stop" => {
                self.library.stop();
            }
            "copy" => copy_tree(&state, &copy),
            "lose key" => write_key(&key, 2),
            "find key" => write_key(&key, 1),
            _ => {
                let barcode = what.strip_prefix("write ").unwrap();
                let library = &self.library;
                library.text(&["library", "load", barcode, "0"]);
                let tape = library.drive(0).await;
                tape.wait_ready().await.unwrap();
                for number in 0..4 {
                    tape.write_block(Bytes::from(vec![number; 1000])).await.unwrap();
                }
                tape.write_filemarks(1, false).await.unwrap();
                drop(tape);
                library.text(&["library", "unload", "0"]);
                until(library, barcode, || library.json(&["tape", "show", barcode])["tier_to"] == 5);
                self.settled();
            }
        }
    }
}

/// The last change of a library.
fn change(state: &Path) -> u64 {
    let read = |number: u8| fs::read(state.join(format!("library.state.{number}"))).unwrap_or_default();
    let change = |bytes: Vec<u8>| bytes.get(24..32).map_or(0, |it| u64::from_le_bytes(it.try_into().unwrap()));
    change(read(0)).max(change(read(1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_shows_is_what_comes() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations/disasters.md")).unwrap();
    let mut site = Site::new();
    let state = site.library.state().display().to_string();
    let (config, place) = (site.directory.join("capstan.toml"), site.directory.join("nas"));
    let mut typed = 0;
    for (number, part) in page.split("<!-- test: ").enumerate() {
        let (what, text) = part.split_once(" -->").unwrap_or(("", part));
        if number > 0 {
            site.happen(what).await;
        }
        for step in steps(text) {
            let word = |word: &String| if word == "capstan.toml" { config.display().to_string() } else { word.clone() };
            let mut words: Vec<String> = step.words.iter().map(word).collect();
            if matches!(words[0].as_str(), "recover" | "serve") {
                words.extend(["--state".to_owned(), state.clone()]);
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = site.library.command(&words);
            let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            let shown = shown.replace(&place.display().to_string(), "/mnt/nas/capstan").replace(&state, "capstan-data");
            assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
            assert_alike(&words, &step.expected, &shown);
            typed += 1;
        }
    }
    assert!(typed >= 10, "{typed}");
}
