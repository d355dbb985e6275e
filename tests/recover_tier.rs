//! `capstan recover --from tier`: the state directory is gone, and everything comes back from a directory tier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use bytes::Bytes;
use capstan_initiator::BlockRead;
use serde_json::Value;
use support::{Library, TIMEOUT, until, write_key};

const KEY: &str = "d8056a8a698fc5a5";

struct Site {
    library: Library,
    config: PathBuf,
    tier: PathBuf,
}

fn block(number: u32) -> Bytes {
    (0..2500_u32)
        .flat_map(|word| (number << 16 | word).wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect::<Vec<u8>>()
        .into()
}

async fn write(library: &Library, barcode: &str, blocks: std::ops::Range<u32>) {
    library.text(&["library", "load", barcode, "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    for number in blocks {
        tape.write_block(block(number)).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
}

async fn expect(library: &Library, barcode: &str, blocks: std::ops::Range<u32>) {
    library.text(&["library", "load", barcode, "1"]);
    let tape = library.drive(1).await;
    tape.wait_ready().await.unwrap();
    for number in blocks {
        assert_eq!(tape.read_block(20_000).await.unwrap(), BlockRead::Block(block(number)), "block {number}");
    }
    drop(tape);
    library.text(&["library", "unload", "1"]);
}

/// What is where and what it is, without what is found out after the start.
fn inventory(library: &Library) -> Vec<Value> {
    let mut tapes = library.json(&["tape", "list"]);
    for tape in tapes.as_array_mut().unwrap() {
        for field in ["tier_to", "unshipped_bytes", "local_bytes"] {
            tape.as_object_mut().unwrap().remove(field);
        }
    }
    let serials: Vec<Value> =
        library.json(&["drive", "list"]).as_array().unwrap().iter().map(|drive| drive["serial"].clone()).collect();
    vec![library.json(&["library", "show"]), tapes, serials.into()]
}

impl Site {
    fn new(encrypted: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tier = directory.path().join("nas");
        let mut config = format!("[[tier]]\nname = \"nas\"\nkind = \"dir\"\npath = \"{}\"\n", tier.display());
        if encrypted {
            let key = directory.path().join("tier.key");
            write_key(&key, 1);
            config.push_str(&format!("encrypt_key_file = \"{}\"\n", key.display()));
        }
        let file = directory.path().join("capstan.toml");
        Self { library: Library::start_in(directory, &config), config: file, tier }
    }

    fn recover(&self, state: &Path, more: &[&str]) -> Output {
        let (config, state) = (self.config.to_str().unwrap(), state.to_str().unwrap());
        let words = ["recover", "--from", "tier", "--config", config, "--state", state];
        support::capstan(self.config.parent().unwrap(), &[&words[..], more].concat())
    }

    fn recovered(&self, more: &[&str]) -> Value {
        let output = self.recover(&self.library.state(), &[&["--json"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Everything that was written and moved is in the tier.
    fn shipped(&self, tapes: &[(&str, u64)]) {
        let library = &self.library;
        for (barcode, objects) in tapes {
            until(library, barcode, || library.json(&["tape", "show", barcode])["tier_to"] == *objects);
        }
        until(library, "sent", || library.json(&["status"])["oldest_unshipped_seconds"] == 0);
        until(library, "claimed", || self.deltas().iter().all(|deltas| *deltas > 0) && self.deltas().len() == 10);
        until(library, "recorded", || self.newest_state() == Some(state_file(&library.state())));
    }

    /// How many deltas each cartridge has in the tier.
    fn deltas(&self) -> Vec<usize> {
        let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let tapes = entries(self.tier.join("v1/tapes")).flat_map(entries);
        tapes.map(|tape| entries(tape.join("manifest")).count()).collect()
    }

    fn newest_state(&self) -> Option<Vec<u8>> {
        let gateway = fs::read_dir(self.tier.join("v1/gateways")).ok()?.flatten().next()?.path();
        let mut states: Vec<PathBuf> =
            fs::read_dir(gateway.join("state")).ok()?.flatten().map(|entry| entry.path()).collect();
        states.sort();
        fs::read(states.last()?).ok()
    }
}

/// The newest state of the library that is kept beside the catalog: one copy of it.
fn state_file(state: &Path) -> Vec<u8> {
    let read = |number: u8| fs::read(state.join(format!("library.state.{number}"))).unwrap_or_default();
    let change = |bytes: &Vec<u8>| bytes.get(24..32).map_or(0, |it| u64::from_le_bytes(it.try_into().unwrap()));
    let bytes = [read(0), read(1)].into_iter().max_by_key(change).unwrap();
    let count = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let length = 64 + 80 * count(12) + 32 * count(16) + 4;
    bytes[..length].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_state_directory_comes_back_and_an_old_copy_of_it_is_fenced() {
    for encrypted in [false, true] {
        let mut site = Site::new(encrypted);
        let library = &site.library;
        write(library, "CAP001L8", 0..30).await;
        library.text(&["tape", "protect", "CAP002L8"]);
        library.text(&["library", "move", "slot:5", "io:2"]);
        library.text(&["library", "move", "slot:6", "slot:77"]);
        site.shipped(&[("CAP001L8", 31)]);
        site.library.stop();
        let copy = site.config.with_file_name("copy");
        copy_tree(&site.library.state(), &copy);
        site.library.start_again();
        write(&site.library, "CAP003L8", 40..60).await;
        site.library.text(&["library", "move", "slot:4", "slot:50"]);
        site.shipped(&[("CAP003L8", 21)]);
        let before = inventory(&site.library);
        site.library.stop();
        fs::remove_dir_all(site.library.state()).unwrap();

        // No other library is begun under its name.
        let output = site.library.serve().output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains("no library is begun here") && told.contains("`capstan recover --from tier`"), "{told}");

        let files = image(&site.tier);
        let would = site.recovered(&["--dry-run", "--verify", "50%", "--seed", "3"]);
        assert_eq!((image(&site.tier) == files, site.library.state().exists()), (true, false), "nothing was written");
        let verified = &would["verified"];
        assert_eq!(
            (&verified["objects"], &verified["seed"], &verified["bad"]),
            (&2.into(), &3.into(), &Value::Array(vec![]))
        );
        assert_eq!(
            (&would["complete"], &would["written"], &would["remarks"]),
            (&true.into(), &false.into(), &Value::Array(vec![]))
        );
        let one = &would["tapes"][0];
        assert_eq!(
            (&one["barcode"], &one["fate"], &one["objects"], &one["filemarks"], &one["encrypted"]),
            (&"CAP001L8".into(), &"whole".into(), &31.into(), &1.into(), &encrypted.into())
        );
        assert!(one["written"].as_u64().unwrap() > 1_600_000_000);

        let did = site.recovered(&[]);
        assert_eq!((&did["written"], &did["tapes"]), (&true.into(), &would["tapes"]));
        site.library.start_again();
        assert_eq!(inventory(&site.library), before);
        expect(&site.library, "CAP001L8", 0..30).await;
        expect(&site.library, "CAP003L8", 40..60).await;
        write(&site.library, "CAP004L8", 70..75).await;
        site.shipped(&[("CAP004L8", 6)]);

        // The machine that was put back from a copy.
        let output = fenced(&site, &copy);
        assert!(output.contains("this state directory is an older copy of the library in the tier"), "{output}");
        let again = site.recover(&site.library.state(), &[]);
        let (code, told) = support::failure(&again);
        assert_eq!(code, 4, "{told}");
        assert!(told.contains("is there: a library is brought back only where nothing is"), "{told}");
    }
}

/// What `status` and `events` of a daemon on an old copy say.
fn fenced(site: &Site, state: &Path) -> String {
    let socket = state.join("capstan.sock");
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_capstan"))
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--config"])
        .arg(&site.config)
        .arg("--state")
        .arg(state)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ask = |words: &[&str]| {
        let output = support::capstan(state, &[&["--socket", socket.to_str().unwrap()], words].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    // All ten cartridges were taken over.
    let is_fenced = || {
        let events = ask(&["events"]);
        events.contains("library_fenced") && events.matches("another gateway goes on").count() == 10
    };
    let began = Instant::now();
    while !is_fenced() && began.elapsed() < TIMEOUT * 3 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let said = (ask(&["status"]), ask(&["events"]));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(said.1.matches("another gateway goes on").count(), 10, "{}", said.1);
    said.0
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_key_nothing_is_recovered() {
    let mut site = Site::new(true);
    write(&site.library, "CAP001L8", 0..3).await;
    site.shipped(&[("CAP001L8", 4)]);
    site.library.stop();
    fs::remove_dir_all(site.library.state()).unwrap();
    let key = site.config.with_file_name("tier.key");
    let files = image(&site.tier);
    let with_key = fs::read_to_string(&site.config).unwrap();
    let without_key: String =
        with_key.lines().filter(|line| !line.starts_with("encrypt")).collect::<Vec<_>>().join("\n");
    for (config, byte, said) in
        [(&without_key, 1, "no key file is configured"), (&with_key, 2, "the key file has key f2c9c809b02113bd")]
    {
        fs::write(&site.config, config).unwrap();
        write_key(&key, byte);
        let (code, told) = support::failure(&site.recover(&site.library.state(), &[]));
        assert_eq!(code, 4, "{told}");
        assert!(told.contains(&format!("it needs wrapping key {KEY}, and {said}")), "{told}");
        assert!(told.contains("CAP001L8 cannot be read") && told.contains("and 9 more like it"), "{told}");
        assert!(!site.library.state().exists() && image(&site.tier) == files, "nothing was written");
    }
    write_key(&key, 1);
    assert_eq!(site.recovered(&[])["complete"], true);
    site.library.start_again();
    expect(&site.library, "CAP001L8", 0..3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_named_and_the_exit_code_says_so() {
    let mut site = Site::new(false);
    write(&site.library, "CAP001L8", 0..30).await;
    site.shipped(&[("CAP001L8", 31)]);
    site.library.stop();
    fs::remove_dir_all(site.library.state()).unwrap();
    let tape = fs::read_dir(site.tier.join("v1/tapes/CAP001L8")).unwrap().flatten().next().unwrap().path();
    let segment = fs::read_dir(tape.join("segments")).unwrap().flatten().next().unwrap().path();
    let mut spoiled = fs::read(&segment).unwrap();
    spoiled[5000] ^= 1;
    fs::write(&segment, spoiled).unwrap();
    let output = site.recover(&site.library.state(), &["--dry-run", "--verify", "100%"]);
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(support::failure(&output).0, 1);
    assert!(
        shown.contains("  BAD       v1/tapes/CAP001L8/") && shown.contains("BLAKE3 hash is not the one"),
        "{shown}"
    );
    fs::remove_file(&segment).unwrap();
    let output = site.recover(&site.library.state(), &["--dry-run"]);
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(support::failure(&output).0, 1);
    assert!(
        shown.contains("no_object    CAP001L8 (in slot:1): segment 1 is not in the tier: objects 0 to 30 are lost"),
        "{shown}"
    );
    for words in [&["--verify", "0%"][..], &["--verify", "101"], &["--tier", "other"]] {
        assert_eq!(support::failure(&site.recover(&site.library.state(), words)).0, 2, "{words:?}");
    }
    let state = site.library.state();
    let words = ["recover", "--from", "disk", "--state", state.to_str().unwrap(), "--gateway", "x"];
    assert_eq!(support::failure(&support::capstan(&site.tier, &words)).0, 2);
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

/// All files below a directory with what they hold.
fn image(root: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut all = std::collections::BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(image(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}
