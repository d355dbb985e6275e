//! `capstan state export` and `capstan state import`: the same library on another machine, and no secret on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;
use support::{Library, capstan, failure};

const CHAP: &str = "a-chap-secret-that-nobody-may-see";
const MUTUAL: &str = "another-secret-of-the-portal";
const AWS_ID: &str = "AKIAPLANTEDPLANTED00";
const AWS_SECRET: &str = "planted/aws/secret/planted/aws/secret/00";
const COMMENT: &str = "a password in a comment";
const KEY: [u8; 32] = *b"0123456789abcdefKEYBYTES!!!!!!!!";

fn secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn site() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    secret(&path("chap"), CHAP.as_bytes());
    secret(&path("mutual"), MUTUAL.as_bytes());
    secret(&path("tier.key"), &KEY);
    let aws = format!("[default]\naws_access_key_id = {AWS_ID}\naws_secret_access_key = {AWS_SECRET}\n");
    secret(&path("aws"), aws.as_bytes());
    directory
}

fn config(tier: &str) -> String {
    format!(
        "# {COMMENT}\n[gateway]\nname = \"rack-7\"\n[library]\nslots = 30\n\
         [[iscsi.initiator]]\nname = \"iqn.1993-08.org.debian:01:abcdef\"\nchap_user = \"backup\" # {COMMENT}\n\
         chap_secret_file = \"chap\"\nmutual_user = \"capstan\"\nmutual_secret_file = \"mutual\"\n[[tier]]\n{tier}"
    )
}

fn dir_tier(place: &Path) -> String {
    format!("name = \"nas\"\nkind = \"dir\"\npath = \"{}\"\nencrypt_key_file = \"tier.key\"\n", place.display())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// No secret is in it, in any form.
fn scan(file: &Path) {
    let bytes = fs::read(file).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let base64_of_key = "MDEyMzQ1Njc4OWFiY2RlZktFWUJZVEVT";
    for planted in [CHAP, MUTUAL, AWS_ID, AWS_SECRET, COMMENT, "0123456789abcdefKEY", base64_of_key] {
        assert_eq!(text.matches(planted).count(), 0, "{planted}");
        assert_eq!(text.to_lowercase().matches(&hex(planted.as_bytes())).count(), 0, "{planted}");
    }
}

fn shown(library: &Library) -> (Value, Vec<Value>) {
    let drives = library.json(&["drive", "list"]);
    let serials = drives.as_array().unwrap().iter().map(|drive| drive["serial"].clone()).collect();
    (library.json(&["library", "show"]), serials)
}

fn path(library: &Library, name: &str) -> PathBuf {
    library.state().parent().unwrap().join(name)
}

/// The directory of another machine, with the files whose content is a secret put back.
fn elsewhere(exported: &Path) -> tempfile::TempDir {
    let directory = site();
    fs::copy(exported, directory.path().join("library.json")).unwrap();
    directory
}

fn import(directory: &Path) -> Value {
    let words = ["state", "import", "library.json", "--state", "state", "--config", "capstan.toml", "--json"];
    let output = capstan(directory, &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A daemon on what was imported.
fn start(directory: tempfile::TempDir) -> Library {
    let config = fs::read_to_string(directory.path().join("capstan.toml")).unwrap();
    Library::start_in(directory, &config)
}

fn until_used(library: &Library) {
    let deadline = Instant::now() + support::TIMEOUT;
    while library.json(&["tier", "status"])[0]["state"] != "ready" {
        assert!(Instant::now() < deadline, "{}", library.log());
    }
}

fn arrange(library: &Library) {
    library.text(&["tape", "create", "--barcode", "special"]);
    library.text(&["library", "move", "slot:5", "io:2"]);
    library.text(&["library", "move", "slot:6", "slot:29"]);
}

#[test]
fn the_same_library_starts_elsewhere_and_no_secret_goes_with_it() {
    let directory = site();
    let tier = directory.path().join("nas");
    let mut library = Library::start_in(directory, &config(&dir_tier(&tier)));
    arrange(&library);
    let answer = library.json(&["state", "export", "library.json"]);
    assert_eq!((&answer["gateway"], &answer["secret_files"][2]), (&"rack-7".into(), &"tier.key".into()));
    let exported = path(&library, "library.json");
    scan(&exported);
    let before = shown(&library);
    let (code, text) = library.failure(&["state", "export", "library.json"]);
    assert!(code == 4 && text.contains("exists already"), "{text}");
    // Without the daemon it is the same, but for the address that the daemon was told to listen on.
    let config_file = path(&library, "capstan.toml");
    let words = ["state", "export", "offline.json", "--config", config_file.to_str().unwrap(), "--state"];
    let state = library.state();
    let words = [&words[..], &[state.to_str().unwrap()]].concat();
    let (code, text) = library.failure(&words);
    assert!(code == 1 && text.contains("in use by another capstan"), "{text}");
    library.stop();
    library.text(&words);
    let read = |name: &str| serde_json::from_slice::<Value>(&fs::read(path(&library, name)).unwrap()).unwrap();
    let (online, offline) = (read("library.json"), read("offline.json"));
    for field in ["change", "claims", "gateway", "image", "library"] {
        assert_eq!(online["content"][field], offline["content"][field], "{field}");
    }
    assert_eq!(online["content"]["configuration"]["wrapping_keys"][0]["tier"], "nas");

    let other = elsewhere(&exported);
    let imported = import(other.path());
    assert_eq!((&imported["tapes"], imported["absent"].as_array().unwrap().len()), (&11.into(), 11));
    assert_eq!(imported["absent"][10], "SPECIAL");
    let again = start(other);
    assert_eq!(shown(&again), before);
    // The tier takes it for the one that it knows.
    until_used(&again);
    let events = again.json(&["events"]);
    let bad = |event: &&Value| ["library_fenced", "tier_refused"].contains(&event["kind"].as_str().unwrap());
    assert_eq!(events.as_array().unwrap().iter().find(bad), None);
    again.text(&["state", "export", "again.json"]);
    let text = |file: &Path| fs::read_to_string(file).unwrap();
    assert_eq!(text(&path(&again, "again.json")), text(&exported));
}

#[test]
fn what_a_bucket_is_used_with_is_not_carried() {
    let directory = site();
    let tier = "name = \"cloud\"\nkind = \"s3\"\nbucket = \"tapes\"\nregion = \"eu-west-1\"\n\
                credentials = \"file\"\ncredentials_file = \"aws\"\nencrypt_key_file = \"tier.key\"\n";
    let place = directory.path().join("nas");
    let mut library = Library::start_in(directory, &config(&dir_tier(&place)));
    library.stop();
    let file = path(&library, "s3.toml");
    fs::write(&file, config(tier)).unwrap();
    let state = library.state();
    let words =
        ["state", "export", "library.json", "--config", file.to_str().unwrap(), "--state", state.to_str().unwrap()];
    let answer = library.json(&words);
    assert_eq!(answer["secret_files"], serde_json::json!(["chap", "mutual", "aws", "tier.key"]));
    scan(&path(&library, "library.json"));
}

#[tokio::test]
async fn what_was_shipped_comes_back_after_an_import() {
    let directory = site();
    let tier = directory.path().join("nas");
    // Without CHAP: this test's host has none.
    let config = format!("[[tier]]\n{}", dir_tier(&tier));
    let mut library = Library::start_in(directory, &config);
    arrange(&library);
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(Bytes::from_static(b"shipped")).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
    let deadline = Instant::now() + support::TIMEOUT;
    while library.json(&["tape", "show", "CAP001L8"])["tier_to"] != 1 {
        assert!(Instant::now() < deadline, "{}", library.log());
    }
    library.text(&["state", "export", "library.json"]);
    let before = shown(&library);
    library.stop();
    let other = elsewhere(&path(&library, "library.json"));
    import(other.path());
    let words = ["recover", "--from", "tier", "--config", "capstan.toml"];
    // Cartridges that somebody has put there are not thrown away for those of the tier.
    let tapes = other.path().join("state/cartridges/tapes");
    fs::create_dir_all(&tapes).unwrap();
    let (code, text) = failure(&capstan(other.path(), &words));
    assert!(code == 4 && text.contains("cartridges/tapes is there"), "{text}");
    fs::remove_dir_all(tapes.parent().unwrap()).unwrap();
    let output = capstan(other.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let again = start(other);
    let (elements, serials) = shown(&again);
    assert_eq!(serials, before.1);
    assert_eq!(elements, before.0);
    again.text(&["library", "load", "CAP001L8", "0"]);
    let tape = again.drive(0).await;
    tape.wait_ready().await.unwrap();
    let block = capstan_initiator::BlockRead::Block(Bytes::from_static(b"shipped"));
    assert_eq!(tape.read_block(100).await.unwrap(), block);
}

#[test]
fn an_import_that_was_cut_off_does_not_start() {
    let mut library = Library::start_unshipped();
    library.text(&["state", "export", "library.json"]);
    library.stop();
    let other = elsewhere(&path(&library, "library.json"));
    import(other.path());
    // As after a loss of power before the catalog was there.
    let names = ["catalog.redb", "library.state.0", "library.state.1"];
    let removed = names.iter().filter(|name| fs::remove_file(other.path().join("state").join(name)).is_ok());
    assert_eq!(removed.count(), 2);
    let (code, text) = failure(&capstan(other.path(), &["serve", "--config", "capstan.toml"]));
    assert!(code == 4 && text.contains("has not come to its end"), "{code} {text}");
}

#[test]
fn what_is_in_the_way_or_not_whole_is_refused() {
    let mut library = Library::start_unshipped();
    library.text(&["state", "export", "library.json"]);
    library.stop();
    let exported = path(&library, "library.json");
    let refused = |change: &dyn Fn(&Path), expected: i32, text: &str| {
        let other = elsewhere(&exported);
        change(other.path());
        let words = ["state", "import", "library.json", "--state", "state", "--config", "capstan.toml"];
        let (code, said) = failure(&capstan(other.path(), &words));
        assert!(code == expected && said.contains(text), "{code} {said}");
        let left = fs::read_dir(other.path().join("state")).map_or(0, Iterator::count);
        assert!(left <= 1, "nothing is begun");
    };
    let edit = |from: &'static str, to: &'static str| {
        move |directory: &Path| {
            let file = directory.join("library.json");
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{from}");
            fs::write(file, text.replacen(from, to, 1)).unwrap();
        }
    };
    let occupy = |directory: &Path| {
        fs::create_dir(directory.join("state")).unwrap();
        fs::write(directory.join("state/precious"), "x").unwrap();
    };
    refused(&occupy, 4, "state/precious is there: a library is brought back only where nothing is");
    refused(&|directory| fs::write(directory.join("capstan.toml"), "").unwrap(), 4, "capstan.toml is there already");
    refused(&edit("\"version\": 1", "\"version\": 2"), 4, "library.json was written by a newer release");
    refused(&edit("\"gateway\": \"gw\"", "\"gateway\": \"gx\""), 1, "what it says is not what its hash is of");
    refused(&edit("capstan state", "capstan skate"), 1, "library.json is no exported state, or damaged");
    refused(&|directory| fs::remove_file(directory.join("library.json")).unwrap(), 1, "library.json cannot be read");
}
