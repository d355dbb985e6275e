//! `capstan key` and `capstan tier scrub`, asked of a daemon that encrypts what it ships to a directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::{Library, TIMEOUT};

/// What `sha256("capstan wrapping key v1" || key)` begins with, as docs/format/object-v1.md has it.
const OLD: &str = "d8056a8a698fc5a5";
const NEW: &str = "f2c9c809b02113bd";

fn write_key(path: &str, byte: u8) {
    fs::write(path, [byte; 32]).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// Something on CAP001L8, all of it in the tier.
async fn ship(library: &Library) {
    library.text(&["library", "load", "CAP001L8", "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.write_block(vec![7; 4096].into()).await.unwrap();
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
    until(library, || library.json(&["tape", "show", "CAP001L8"])["tier_to"] == 2);
}

fn until(library: &Library, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < TIMEOUT, "{}", library.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Cartridges of which the tier knows.
fn in_tier(tier: &str) -> usize {
    let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let tapes = entries(Path::new(tier).join("v1/tapes")).flat_map(entries);
    tapes.filter(|tape| entries(tape.join("manifest")).next().is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_backed_up_changed_and_the_old_one_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (key, copy, new, tier) = (path("key"), path("copy"), path("new"), path("tier"));
    for (file, byte) in [(&key, 1), (&copy, 1), (&new, 2)] {
        write_key(file, byte);
    }
    let config = format!("[[tier]]\nname = \"disk\"\nkind = \"dir\"\npath = \"{tier}\"\n");
    let config = |key: &str| format!("{config}encrypt_key_file = \"{key}\"\n");
    let file = directory.path().join("capstan.toml");
    let mut library = Library::start_in(directory, &config(&key));

    let page = |key_id: &str, key: &str, backup: &str, keys: &str| {
        format!("tier    disk\nkey     {key_id} in {key}\nbackup  {backup}\n\nWRAPPED WITH      TAPES\n{keys}")
    };
    let nobody = "NOBODY HAS SHOWN ANOTHER COPY: `capstan key verify --confirm-backup COPY`";
    // New cartridges have their keys before anything is on them.
    until(&library, || in_tier(&tier) == 10);
    let first = format!("{OLD}     10\nno key                0\n");
    assert_eq!(library.text(&["key", "list"]), page(OLD, &key, nobody, &first));
    assert!(library.text(&["status"]).contains("note: nobody has said that there is another copy of key"));
    let confirm = |file: &str| library.command(&["key", "verify", "--confirm-backup", file]);
    let (code, told) = support::failure(&confirm(&key));
    assert!(code == 1 && told.contains("key is the key file itself"), "{told}");
    let (code, told) = support::failure(&confirm(&new));
    assert!(code == 1 && told.contains(&format!("that is key {NEW}, and the key in use is {OLD}")), "{told}");
    assert!(confirm(&copy).status.success());
    assert_eq!(library.text(&["key", "list"]), page(OLD, &key, "another copy was shown", &first));
    assert!(!library.text(&["status"]).contains("note: nobody"));

    ship(&library).await;
    let all = "opens 10 encrypted cartridges: all there are.\n";
    assert_eq!(library.text(&["key", "verify"]), format!("Key {OLD} {all}"));
    let wrong = library.command(&["key", "verify", "--key-file", &new]);
    let shown = String::from_utf8(wrong.stdout.clone()).unwrap();
    let cannot = |place: &str| {
        format!(
            "CAP001L8: {place}: its key cannot be used: it needs wrapping key {OLD}, and the key file has key {NEW}\n"
        )
    };
    assert!(shown.contains(&(cannot("here") + &cannot("in the tier"))), "{shown}");
    assert!(shown.ends_with(&format!("Key {NEW} was tried on 10 encrypted cartridges.\n")), "{shown}");
    assert_eq!(support::failure(&wrong), (1, "error: 20 problems with keys\n".to_owned()));

    let rotated = library.text(&["key", "rotate", "--new-key-file", &new]);
    assert_eq!(
        rotated,
        format!(
            "Key {NEW} wraps 10 cartridge keys, 10 of them new.\n\
             Now keep a copy of {new} elsewhere, put it into encrypt_key_file and start the daemon again.\n\
             What is wrapped with the old key stays until `capstan key rotate --remove-old`.\n"
        )
    );
    let keys = library.json(&["key", "list"]);
    assert_eq!((&keys["next_key"], &keys["backup_confirmed"]), (&NEW.into(), &true.into()));
    assert_eq!(library.json(&["key", "verify", "--key-file", &new])["problems"], serde_json::json!([]));

    library.stop();
    fs::write(&file, config(&new)).unwrap();
    library.start_again();
    let both = format!("{OLD}     10\n{NEW}     10\nno key                0\n");
    assert_eq!(library.text(&["key", "list"]), page(NEW, &new, nobody, &both));
    assert_eq!(library.text(&["key", "verify"]), format!("Key {NEW} {all}"));
    let (code, told) = library.failure(&["key", "rotate", "--remove-old"]);
    assert!(code == 4 && told.contains("not done without --yes"), "{told}");
    assert_eq!(
        library.text(&["key", "rotate", "--remove-old", "--yes"]),
        format!("Only key {NEW} opens what there is; of 10 cartridges older wrapped keys were removed.\n")
    );
    let (code, told) = library.failure(&["key", "verify", "--key-file", &key]);
    assert_eq!((code, told.as_str()), (1, "error: 20 problems with keys\n"));

    // The old one again, by mistake.
    library.stop();
    fs::write(&file, config(&key)).unwrap();
    library.start_again();
    let told = format!(
        "encrypted cartridges that cannot be opened with key {OLD} of the configured file, so that nothing of them is \
         shipped or recalled: CAP001L8, CAP002L8, "
    );
    until(&library, || library.text(&["events"]).contains(&told));
    assert!(library.text(&["tier", "status"]).contains(&told));
    let (code, told) = library.failure(&["key", "rotate", "--remove-old", "--yes"]);
    assert!(code == 1 && told.contains(&format!("cannot be opened with key {OLD}")), "{told}");
    library.stop();
}

#[test]
fn a_tier_is_scrubbed() {
    let library = Library::start();
    assert_eq!(
        library.text(&["tier", "scrub", "local"]),
        "0 objects looked at; deleted 0 that were nobody's and 0 that were released, 0 B.\n"
    );
    let (code, told) = library.failure(&["tier", "scrub", "moon"]);
    assert!(code == 1 && told.contains("there is no tier \"moon\""), "{told}");
    let (code, told) = library.failure(&["tier", "scrub", "local", "--older-than", "1w"]);
    assert!(code == 2 && told.contains("use a number with s, m or h"), "{told}");
}
