//! `capstan tier`, `capstan tape stage` and what other commands show of tiers, asked of a daemon whose mover does what
//! the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::process::Output;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use capstan_admin::{Admin, Facts};
use capstan_disk::RealDisk;
use capstan_library::{Library, LibraryOptions};
use capstan_media::{Barcode, CartridgeId};
use capstan_mover::sim::{Shown, SimOperations};
use capstan_mover::{AreaInfo, MoverError, Operations, ShippingInfo, StageProgress, TapeShipping, TierInfo, TierState};
use capstan_portal::{PortalConfig, PortalHandle};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A daemon in this process.
struct Gateway {
    directory: TempDir,
    library: Library,
    /// Empty in a daemon without tiers.
    mover: Option<Arc<SimOperations>>,
    _portal: PortalHandle,
}

/// The cartridge that cannot be staged, and the one whose staging lasts until it is cancelled.
const FAILS: &str = "CAP003L8";
const LASTS: &str = "CAP004L8";

impl Gateway {
    async fn start(shown: Shown) -> Self {
        Self::start_with(|library, [fails, lasts]| {
            let mover = Arc::new(SimOperations::new(shown).staging(Box::new(move |cartridge, watch| {
                let progress = StageProgress { done: 3 << 20, total: 4 << 20 };
                match cartridge {
                    id if id == fails => Err(MoverError::NoRoom { needed: 10, free: 5 }),
                    id if id == lasts => loop {
                        if watch(progress).is_break() {
                            return Err(MoverError::Cancelled);
                        }
                        std::thread::yield_now();
                    },
                    _ => Ok(StageProgress { done: 4 << 20, total: 4 << 20 }),
                }
            })));
            library.set_operations(mover.clone());
            Some(mover)
        })
        .await
    }

    /// `mover` is told the cartridge that cannot be staged, and the one whose staging lasts until it is cancelled.
    async fn start_with(mover: impl FnOnce(&Library, [CartridgeId; 2]) -> Option<Arc<SimOperations>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = LibraryOptions::new(directory.path().join("state"));
        let library = Library::start(&options, Arc::new(RealDisk)).unwrap();
        let mover = mover(&library, [id(&library, FAILS).await, id(&library, LASTS).await]);
        let portal = capstan_portal::start(PortalConfig::new(vec!["127.0.0.1:0".parse().unwrap()]), Vec::new());
        let portal = portal.await.unwrap();
        let admin = Admin {
            librarian: library.librarian(),
            events: library.events(),
            jobs: library.jobs(),
            operations: mover.clone().map(|mover| mover as Arc<dyn Operations>),
            images: library.images(),
            portal: portal.clone(),
            facts: Arc::new(Facts {
                version: "0.1.0".to_owned(),
                gateway: "gw".to_owned(),
                library: String::new(),
                configuration: capstan_api::Configuration::default(),
                state_dir: options.state_dir.clone(),
                started: Instant::now(),
                max_sessions: 1,
                targets: Vec::new(),
                drives: Vec::new(),
            }),
        };
        let socket = capstan_admin::bind(&directory.path().join("socket")).await.unwrap();
        tokio::spawn(capstan_admin::serve(socket, admin.router(), std::future::pending()));
        Self { directory, library, mover, _portal: portal }
    }

    fn command(&self, words: &[&str]) -> Output {
        support::capstan(self.directory.path(), &[&["--socket", "socket"], words].concat())
    }

    /// What it prints when it succeeds.
    fn text(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[words, &["--json"]].concat())).unwrap()
    }

    /// Standard output and standard error when it ends with code 1.
    fn failure(&self, words: &[&str]) -> (String, String) {
        let output = self.command(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.mover.as_ref().unwrap().shown()
    }
}

async fn id(library: &Library, label: &str) -> CartridgeId {
    library.librarian().tape(Barcode::new(label).unwrap()).await.unwrap().id
}

fn tier(name: &str, state: TierState, problem: Option<&str>) -> TierInfo {
    TierInfo {
        name: name.to_owned(),
        kind: "dir".to_owned(),
        place: format!("/mnt/{name}"),
        state,
        problem: problem.map(str::to_owned),
        notes: Vec::new(),
        proof: "checked".to_owned(),
        encryption: None,
        uploads: 1,
        parallel: 4,
        uploaded_bytes: 64 << 20,
        downloaded_bytes: 0,
        upload_rate: 2 << 20,
        download_rate: 0,
        upload_limit: None,
        download_limit: Some(10 << 20),
        retries: 2,
        last_error: None,
    }
}

/// Lines without the blanks between their columns.
fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

fn two_tiers() -> Shown {
    let far = TierInfo {
        notes: vec!["the clock of the server is 3 s behind".to_owned()],
        encryption: Some("a1b2c3d4".to_owned()),
        last_error: Some((SystemTime::now() - Duration::from_secs(90), "cannot create x: time-out".to_owned())),
        ..tier("far", TierState::Unavailable, Some("it does not answer"))
    };
    Shown { tiers: vec![tier("near", TierState::Ready, None), far], ..Shown::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_are_listed_shown_paused_and_limited() {
    let gateway = Gateway::start(two_tiers()).await;
    let table = gateway.text(&["tier", "list"]);
    assert_eq!(
        cells(&table),
        [
            vec!["TIER", "KIND", "STATE", "SENDS", "LIMIT", "FETCHES", "LIMIT", "RETRIES", "WHERE"],
            vec!["near", "dir", "ready", "2 MiB/s", "-", "0 B/s", "10 MiB/s", "2", "/mnt/near"],
            vec!["far", "dir", "unavailable", "2 MiB/s", "-", "0 B/s", "10 MiB/s", "2", "/mnt/far"],
        ]
    );
    let page = gateway.text(&["tier", "status", "far"]);
    let (last_error, rest): (Vec<&str>, Vec<&str>) = page.lines().partition(|line| line.starts_with("last error"));
    assert_eq!(
        rest,
        [
            "tier       far",
            "kind       dir",
            "where      /mnt/far",
            "state      unavailable: it does not answer",
            "objects    checked, encrypted with key a1b2c3d4",
            "uploads    1 under way, 4 at most",
            "sent       64 MiB, now 2 MiB/s, no limit",
            "fetched    0 B, now 0 B/s, 10 MiB/s at most",
            "retries    2",
            "note       the clock of the server is 3 s behind",
        ]
    );
    let [last_error] = last_error.as_slice() else { panic!("{page}") };
    assert!(last_error.starts_with("last error 1 min ") && last_error.ends_with(" s ago: cannot create x: time-out"));
    assert_eq!(gateway.text(&["tier", "status"]).lines().filter(|line| line.starts_with("tier ")).count(), 2);
    assert_eq!(gateway.json(&["tier", "status", "near"])["state"], "ready");

    assert_eq!(gateway.json(&["tier", "pause", "near"])["state"], "paused");
    assert_eq!(gateway.shown().tiers[0].state, TierState::Paused);
    assert_eq!(cells(&gateway.text(&["tier", "resume", "near"]))[1][2], "connecting");
    let limited = gateway.json(&["tier", "limit", "near", "--upload", "5MiB/s", "--download", "none"]);
    assert_eq!((&limited["upload_limit"], &limited["download_limit"]), (&(5 << 20).into(), &Value::Null));
    let limited = gateway.json(&["tier", "limit", "near", "--upload", "none"]);
    assert_eq!((&limited["upload_limit"], &limited["download_limit"]), (&Value::Null, &Value::Null));

    let unknown = "error: there is no tier \"fur\"\n  next: `capstan tier list` shows what there is\n";
    for words in
        [["tier", "status", "fur"], ["tier", "pause", "fur"], ["tier", "resume", "fur"], ["tier", "test", "fur"]]
    {
        assert_eq!(gateway.failure(&words), (String::new(), unknown.to_owned()), "{words:?}");
    }
    assert_eq!(gateway.failure(&["tier", "limit", "fur", "--upload", "1MB"]).1, unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_which_step_failed() {
    let gateway = Gateway::start(two_tiers()).await;
    assert_eq!(gateway.text(&["tier", "test", "near"]), "near  good\nSTEP     TOOK  RESULT\ncreate  12 ms  good\n");
    let (shown, told) = gateway.failure(&["tier", "test"]);
    assert_eq!(
        shown,
        "near  good\nSTEP     TOOK  RESULT\ncreate  12 ms  good\n\n\
         far  FAILED\nSTEP     TOOK  RESULT\ncreate  12 ms  FAILED: it does not answer\n"
    );
    assert!(told.starts_with("error: the test failed\n  next: docs/s3.md says what a tier wants of an S3 server; "));
    let (shown, told) = gateway.failure(&["tier", "test", "far", "--json"]);
    let step = json!({ "what": "create", "milliseconds": 12, "problem": "it does not answer" });
    let expected = json!({ "name": "far", "good": false, "steps": [step] });
    assert_eq!((serde_json::from_str::<Value>(&shown).unwrap(), told.as_str()), (expected, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_tapes_say_what_is_where() {
    let gateway = Gateway::start(two_tiers()).await;
    let area =
        |path: &str, used, size| AreaInfo { path: path.into(), used, size, free: Some(1 << 30), problems: Vec::new() };
    gateway.shown().shipping = ShippingInfo {
        buffer: area("/srv/buffer", 30 << 20, 60 << 20),
        cache: area("/srv/cache", 0, 100 << 20),
        unshipped_bytes: 20 << 20,
        oldest_unshipped: Some(Duration::from_millis(300)),
    };
    let id = id(&gateway.library, "CAP001L8").await;
    let shipping =
        TapeShipping { tier_to: 7, unshipped_bytes: 3 << 20, local_bytes: 5 << 20, pinned: true, fenced: false };
    gateway.shown().tapes.insert(id, shipping);

    let page = gateway.text(&["status"]);
    let lines: Vec<&str> = page.lines().skip(3).take(5).collect();
    assert_eq!(lines[0], "buffer  30 MiB of 60 MiB (50 %), /srv/buffer (1 GiB free on its disk)");
    assert_eq!(lines[1], "cache   0 B of 100 MiB (0 %), /srv/cache (1 GiB free on its disk)");
    assert_eq!(lines[2], "unsent  20 MiB, the oldest for 1 s");
    assert_eq!(lines[3], "tier    near: ready, sends 2 MiB/s, fetches 0 B/s, 2 retries");
    assert_eq!(lines[4], "tier    far: unavailable (it does not answer), sends 2 MiB/s, fetches 0 B/s, 2 retries");
    let status = gateway.json(&["status"]);
    assert_eq!(
        status["upload_buffer"],
        json!({ "path": "/srv/buffer", "used": 30 << 20, "size": 60 << 20, "free": 1 << 30, "problems": [] })
    );
    assert_eq!((&status["unshipped_bytes"], &status["oldest_unshipped_seconds"]), (&(20 << 20).into(), &1.into()));
    assert_eq!((&status["tiers"][1]["name"], &status["tiers"][1]["state"]), (&"far".into(), &"unavailable".into()));

    let tape = gateway.json(&["tape", "show", "CAP001L8"]);
    let fields = ["durable_to", "tier_to", "unshipped_bytes", "local_bytes", "pinned"].map(|name| tape[name].clone());
    assert_eq!(json!(fields), json!([0, 7, 3 << 20, 5 << 20, true]));
    let page = gateway.text(&["tape", "show", "CAP001L8"]);
    let lines: Vec<&str> = page.lines().skip(8).collect();
    assert_eq!(lines, ["in tier    to object 7 of 0, 3 MiB only here", "cached     5 MiB, pinned"]);
    let table = gateway.text(&["tape", "list"]);
    assert_eq!(cells(&table)[0][6..], ["IN TIER", "ONLY HERE"]);
    assert_eq!(cells(&table)[1][6..], ["7 of 0", "3 MiB"]);
    assert_eq!(cells(&table)[2][6..], ["-", "-"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cartridges_are_staged_pinned_and_let_go() {
    let gateway = Gateway::start(Shown::default()).await;
    let staged = gateway.json(&["tape", "stage", "cap001l8", "CAP002L8"]);
    let fields = |job: &Value| ["kind", "barcode", "state", "staged_bytes"].map(|name| job[name].clone());
    let done = |barcode: &str| [json!("stage"), json!(barcode), json!("done"), json!(4 << 20)];
    assert_eq!((fields(&staged[0]), fields(&staged[1])), (done("CAP001L8"), done("CAP002L8")));

    let id = id(&gateway.library, "CAP001L8").await;
    let pinned = |gateway: &Gateway| gateway.shown().tapes.get(&id).map(|tape| tape.pinned);
    assert_eq!(pinned(&gateway), None);
    let table = gateway.text(&["tape", "stage", "CAP001L8", "--pin"]);
    assert_eq!(cells(&table)[1][1..4], ["stage", "CAP001L8", "done"]);
    assert_eq!(cells(&table)[1][6], "4 MiB in the cache");
    assert_eq!(pinned(&gateway), Some(true));
    let jobs = gateway.json(&["job", "list"]).as_array().unwrap().len();
    assert_eq!(gateway.json(&["tape", "stage", "CAP001L8", "--unpin"])[0]["pinned"], false);
    assert_eq!(pinned(&gateway), Some(false));
    assert_eq!(gateway.json(&["job", "list"]).as_array().unwrap().len(), jobs, "nothing was begun");

    let why = "the cache has no room: 10 bytes are needed and 5 are free; make [cache] size larger";
    let (shown, told) = gateway.failure(&["tape", "stage", FAILS, "CAP002L8"]);
    let cells_of = cells(&shown);
    assert_eq!((cells_of[1][3], cells_of[1][6], cells_of[2][3]), ("failed", why, "done"));
    assert_eq!(told, "error: not all was staged\n");
    let events = gateway.json(&["events"]);
    let failed = events.as_array().unwrap().iter().find(|event| event["kind"] == "recall_failed").unwrap();
    assert_eq!((&failed["barcode"], &failed["text"]), (&FAILS.into(), &format!("staging: {why}").into()));
    let unknown = "error: there is no cartridge NONE\n  next: `capstan tape list` shows what there is\n";
    assert_eq!(gateway.failure(&["tape", "stage", "NONE"]).1, unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_only_begun_is_waited_for() {
    let gateway = Gateway::start(Shown::default()).await;
    let begun = gateway.json(&["tape", "stage", LASTS, "CAP001L8", "--no-wait"]);
    assert_eq!((&begun[0]["id"], &begun[1]["id"]), (&1.into(), &2.into()));
    // A verification does not wait for stagings.
    let begun = gateway.json(&["tape", "verify", "CAP001L8", "--no-wait"]);
    assert_eq!((&begun[0]["id"], &begun[0]["kind"]), (&3.into(), &"verify".into()));
    let table = gateway.text(&["job", "wait", "3"]);
    assert_eq!((cells(&table)[1][3], cells(&table)[1][6]), ("done", "good"));
    assert_eq!(gateway.json(&["job", "show", "2"])["state"], "waiting");
    let deadline = Instant::now() + support::TIMEOUT;
    while gateway.json(&["job", "show", "1"])["done_bytes"] != 3 << 20 {
        assert!(Instant::now() < deadline, "it does not say how far it is");
    }
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| gateway.failure(&["job", "wait", "1"]));
        gateway.text(&["job", "cancel", "1"]);
        waiting.join().unwrap()
    });
    assert_eq!(waiting.1, "error: job 1 was cancelled\n  why:  it was cancelled\n");
    assert_eq!(gateway.json(&["job", "wait", "2"])["staged_bytes"], 4 << 20);
    assert_eq!(
        gateway.failure(&["job", "wait", "9"]).1,
        "error: there is no job 9\n  next: `capstan job list` shows what there is\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_tier_nothing_is_staged() {
    let gateway = Gateway::start_with(|_, _| None).await;
    for words in [["tier", "list"], ["tier", "status"], ["tier", "test"]] {
        assert_eq!(gateway.text(&words), "There is no tier: nothing is shipped.\n");
        assert_eq!(gateway.json(&words), json!([]));
    }
    let (_, told) = gateway.failure(&["tape", "stage", "CAP001L8"]);
    assert_eq!(told, "error: there is no tier\n  next: configure a [[tier]] and start again\n");
    assert_eq!(gateway.failure(&["tier", "pause", "near"]).1, told);
    assert!(gateway.text(&["status"]).contains("\ndisk    0 B on cartridges, "));
}
