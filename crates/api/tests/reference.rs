//! The reference page of the admin API, made from the types: each path with a question and an answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use capstan_api::{
    AdoptTape, Area, ChangeVersion, CloneTape, Configuration, ConfirmBackup, CreateTapes, Done, Drive, DriveState,
    Element, ElementType, EraseTape, ErrorKind, Event, Events, ExportFormat, ExportTape, Failure, Finding, ForeignTape,
    HandOverTape, Import, ImportFormat, ImportTape, Job, JobState, KeyProblem, KeyReport, Keys, LibraryState, Load,
    Move, Moved, Objects, Portal, Position, ProtectTape, RemoveOldKeys, RollBack, RotateKeys, ScrubTier, Scrubbed,
    Session, SetLimits, Severity, StageTape, Staged, Status, Tape, TapeState, TapeVersion, TapeVersions, Tapes, Target,
    TestStep, Tier, TierClaim, TierError, TierState, TierTest, Transfer, Unload, Verification, VerifyKeys, VerifyTape,
    VersionCause, VersionChange, WrappedWith, WrappingKeyId, path,
};
use capstan_media::Barcode;
use serde::Serialize;

const HEAD: &str = "\
# Admin API

<!-- Made from crates/api; `cargo xtask docs` writes it anew. -->

HTTP/1.1 with JSON on the daemon's Unix socket (`<state>/capstan.sock` unless `[admin] socket` says otherwise), which
only the daemon's own user can open. The `capstan` command uses nothing else; `capstan ... --json` prints these answers.

```sh
curl --unix-socket capstan-data/capstan.sock http://capstan/v1/status
```

Sizes are bytes, times are seconds. Unknown fields in a question are refused. Fields may be added to answers.
";

const IQN: &str = "iqn.2026-11.io.capstan:gw";

fn versions() -> TapeVersions {
    TapeVersions {
        barcode: "CAP001L8".into(),
        objects: 2,
        filemarks: 1,
        used: 64512,
        versions: vec![TapeVersion {
            number: 1,
            until: 1_795_152_630,
            cause: VersionCause::Overwritten,
            held: false,
            objects: 386,
            filemarks: 3,
            used: 24_708_096,
            own_bytes: 24_728_544,
            unshipped_bytes: 0,
            missing: 0,
        }],
    }
}

fn tape() -> Tape {
    Tape {
        barcode: "CAP001L8".into(),
        id: "3f0f3c7e-6c1e-4f0e-9a51-0b6f1f6c8f11".into(),
        state: TapeState::Available,
        location: Some("drive:0".into()),
        size: 10 << 30,
        used: 25_231_360,
        protected: false,
        durable_to: 386,
        tier_to: 256,
        unshipped_bytes: 8_519_680,
        local_bytes: 25_252_352,
        pinned: false,
        objects: 386,
        filemarks: 1,
        created: 1_795_132_800,
        problem: None,
    }
}

fn drive() -> Drive {
    Drive {
        index: 0,
        serial: "3F0F3C7E01".into(),
        target: format!("{IQN}.drive-00"),
        lun: 0,
        barcode: Some("CAP001L8".into()),
        state: DriveState::Loaded,
        busy: false,
        position: Some(Position { partition: 0, object: 386, file: 1 }),
        problem: None,
        write_bytes: 25_231_360,
        read_bytes: 0,
    }
}

fn status() -> Status {
    Status {
        version: "0.1.0".into(),
        gateway: "gw".into(),
        state_dir: "./capstan-data".into(),
        uptime_seconds: 61,
        portal: Portal { addresses: vec!["127.0.0.1:3260".into()], sessions: 2, max_sessions: 256 },
        targets: vec![Target { name: format!("{IQN}.changer"), device: "changer".into() }],
        drives: vec![drive()],
        tapes: Tapes { total: 10, by_state: [("AVAILABLE".to_owned(), 10)].into() },
        upload_buffer: area("cartridges", 8_519_680, 50 << 30),
        cache: area("cache", 16_732_672, 100 << 30),
        unshipped_bytes: 8_519_680,
        oldest_unshipped_seconds: 7,
        tiers: vec![tier()],
    }
}

fn area(name: &str, used: u64, size: u64) -> Area {
    Area { path: format!("capstan-data/{name}"), used, size, free: Some(256 << 30), problems: Vec::new() }
}

fn tier() -> Tier {
    Tier {
        name: "cloud".into(),
        kind: "s3".into(),
        place: "https://s3.example.org/tapes".into(),
        state: TierState::Ready,
        problem: None,
        notes: Vec::new(),
        proof: "checked".into(),
        encryption: Some("a1b2c3d4".into()),
        uploads: 1,
        parallel: 4,
        uploaded_bytes: 16_732_672,
        downloaded_bytes: 0,
        upload_rate: 1_048_576,
        download_rate: 0,
        upload_limit: None,
        download_limit: Some(50 << 20),
        retries: 1,
        last_error: Some(TierError {
            time: 1_795_154_707,
            text: "cannot create v1/tapes/CAP001L8: the connection was lost".into(),
        }),
    }
}

fn session() -> Session {
    Session {
        id: 3,
        initiator: "iqn.1993-08.org.debian:01:backup".into(),
        address: "127.0.0.1:51234".into(),
        portal: "127.0.0.1:3260".into(),
        target: Some(format!("{IQN}.drive-00")),
        age_seconds: 12,
        commands: 403,
        write_bytes: 25_231_360,
        read_bytes: 0,
    }
}

fn element() -> Element {
    Element {
        name: "drive:0".into(),
        kind: ElementType::Drive,
        address: 500,
        mtx: 0,
        barcode: Some("CAP001L8".into()),
        accessible: false,
        source: Some("slot:1".into()),
    }
}

fn moved() -> Moved {
    Moved { barcode: "CAP001L8".into(), from: "slot:1".into(), to: "drive:0".into() }
}

fn events() -> Events {
    let event = Event {
        sequence: 12,
        time: 1_795_154_707,
        severity: Severity::Warning,
        kind: "disk_full".into(),
        drive: Some(0),
        barcode: Some("CAP001L8".into()),
        text: "the disk is full: 640 MiB free, of which 640 MiB are kept for filemarks, unloads and the catalog".into(),
    };
    Events { events: vec![event], next: 12, missed: 0 }
}

fn job() -> Job {
    Job {
        id: 4,
        kind: "verify".into(),
        barcode: "CAP001L8".into(),
        file: None,
        state: JobState::Running,
        created: 1_795_154_707,
        done_bytes: 4_194_304,
        total_bytes: 25_252_352,
        why: None,
        report: None,
        staged_bytes: None,
        transferred: None,
    }
}

fn staging() -> Job {
    Job { kind: "stage".into(), ..job() }
}

fn done() -> Job {
    let finding = Finding {
        kind: "record".into(),
        damage: true,
        file: "capstan-data/cartridges/tapes/3f/3f0f3c7e-6c1e-4f0e-9a51-0b6f1f6c8f11/000000/000000001.seg".into(),
        offset: 66_656,
        length: 65_584,
        objects: Some(Objects { first: 1, last: 1 }),
        what: "checksum is 0x1d1f5b7c, 0x2a3421be is recorded".into(),
    };
    let report = Verification {
        good: false,
        loadable: true,
        objects: 386,
        filemarks: 1,
        used: 25_231_360,
        lost: 1,
        readable: vec![Objects { first: 0, last: 0 }, Objects { first: 2, last: 385 }],
        files: 2,
        bytes: 25_252_352,
        findings: vec![finding],
        more: 0,
    };
    Job { state: JobState::Done, done_bytes: 25_252_352, report: Some(report), ..job() }
}

struct Page(String);

impl Page {
    fn add(&mut self, method: &str, path: &str, what: &str, question: Option<String>, answer: &impl Serialize) {
        let path = path.replace("CAP001L8", "{barcode}");
        self.0.push_str(&format!("\n## `{method} {path}`\n\n{what}\n"));
        if let Some(question) = question {
            self.0.push_str(&format!("\nQuestion:\n\n```json\n{}\n```\n", question));
        }
        self.0.push_str(&format!("\nAnswer:\n\n```json\n{}\n```\n", json(answer)));
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn reference() -> String {
    let barcode = Barcode::new("CAP001L8").unwrap();
    let mut page = Page(HEAD.to_owned());
    page.add("GET", path::STATUS, "The whole at a glance.", None, &status());
    page.add("GET", path::TAPES, "All cartridges, by barcode.", None, &[tape()]);
    let create = CreateTapes { count: 2, size: Some(100 << 30), barcode: None, prefix: Some("CAP".into()) };
    let what = "Makes blank cartridges in the first free slots: all of them or none. With `barcode` (and `count` 1) the \
                one with this barcode; else the next free numbers after `prefix`. Answers those that were made.";
    page.add("POST", path::TAPES, what, Some(json(&create)), &[tape()]);
    page.add("GET", &path::tape(&barcode), "One cartridge.", None, &tape());
    page.add("DELETE", &path::tape(&barcode), "Deletes a cartridge and all that it holds.", None, &Done {});
    page.add("POST", &path::erase(&barcode), "Makes a cartridge blank.", Some(json(&EraseTape {})), &tape());
    let protect = ProtectTape { protected: true };
    page.add(
        "POST",
        &path::protection(&barcode),
        "Write-protects a cartridge, or ends that.",
        Some(json(&protect)),
        &tape(),
    );
    let what = "What a tape was before it was overwritten, erased or rolled back.";
    page.add("GET", &path::versions(&barcode), what, None, &versions());
    let change = ChangeVersion { version: 1, change: VersionChange::Hold };
    let what = "Holds an older version (`hold`), lets it be forgotten again (`let_go`), or forgets it (`forget`).";
    page.add("POST", &path::versions(&barcode), what, Some(json(&change)), &versions());
    let what = "Makes an older version the tape again; what it is until then becomes a version.";
    page.add("POST", &path::roll_back(&barcode), what, Some(json(&RollBack { to: 1 })), &versions());
    let clone = CloneTape { barcode: "CAP011L8".into(), version: Some(1) };
    let what =
        "Makes a cartridge that begins with what another one holds, or held, and shares its objects in the tier.";
    page.add("POST", &path::clone(&barcode), what, Some(json(&clone)), &tape());
    let what = "All slots and drives. `mtx` is the number that mtx gives the element: storage slots from 1, \
                import/export slots after them, drives from 0.";
    page.add("GET", path::ELEMENTS, what, None, &[element()]);
    let question = Move { from: "slot:1".into(), to: "drive:0".into() };
    let what = "Moves a cartridge. Into an import/export slot it counts as put there by hand.";
    page.add("POST", path::MOVE, what, Some(json(&question)), &moved());
    let question = Load { barcode: "CAP001L8".into(), drive: Some(0) };
    page.add(
        "POST",
        path::LOAD,
        "Puts a cartridge into a drive, by default the first empty one.",
        Some(json(&question)),
        &moved(),
    );
    let unloaded = Moved { barcode: "CAP001L8".into(), from: "drive:0".into(), to: "slot:1".into() };
    let what = "Empties a drive: back to where the cartridge came from, else into the first free slot.";
    page.add("POST", path::UNLOAD, what, Some(json(&Unload { drive: 0 })), &unloaded);
    let imported = Moved { barcode: "CAP001L8".into(), from: "io:1".into(), to: "slot:1".into() };
    let question = Import { barcodes: vec!["CAP001L8".into()] };
    page.add("POST", path::IMPORT, "Takes cartridges out of import/export slots.", Some(json(&question)), &[imported]);
    stage(&mut page);
    images(&mut page);
    state(&mut page);
    exchange(&mut page);
    let what = "Begins to read all of a cartridge, in the background. One in a drive is refused. Asked again while it is \
                under way, it is the same job.";
    page.add("POST", "/v1/tapes/{barcode}/verify", what, Some(json(&VerifyTape {})), &job());
    page.add("GET", path::JOBS, "All jobs that wait, run, or ended not long ago.", None, &[job()]);
    let what = "One job. `objects` are counted with their last; `findings` are explained in \
                [recovery](../recovery.md). A job that was cancelled or failed says `why`; one of the kind `stage` \
                that is done has `staged_bytes` for `report`.";
    page.add("GET", "/v1/jobs/{id}", what, None, &done());
    let what = "Ends a job. One that has ended stays as it is.";
    let cancelled = Job { state: JobState::Cancelled, why: Some("it was cancelled".into()), ..job() };
    page.add("DELETE", "/v1/jobs/{id}", what, None, &cancelled);
    page.add("GET", path::DRIVES, "All drives.", None, &[drive()]);
    page.add("GET", "/v1/drives/{index}", "One drive.", None, &drive());
    page.add("GET", path::SESSIONS, "All iSCSI sessions, the oldest first.", None, &[session()]);
    let what = "What has happened after event number `since` (0 for all that is kept). If there is nothing, it is \
                answered when something happens, or after `wait` seconds (up to 60). Ask for `next` next. The kinds \
                are listed in [events](events.md).";
    page.add("GET", "/v1/events?since={number}&wait={seconds}", what, None, &events());
    tiers(&mut page);
    keys(&mut page);
    let what = "Closes the connection of a session. The host may log in again.";
    page.add("DELETE", "/v1/sessions/{id}", what, None, &Done {});
    failures(&mut page);
    page.0
}

fn images(page: &mut Page) {
    let export = ExportTape {
        file: "/backup/cap001.tap".into(),
        format: ExportFormat::Tap,
        overwrite: false,
        from_filemark: 0,
        to_filemark: None,
    };
    let job = Job { kind: "export".into(), file: Some(export.file.clone()), ..job() };
    let what = "Begins to write a cartridge to a file of the daemon's machine, in the background: a SIMH `.tap` image \
                (`tap`), or a directory with the data of each tape file and an index (`files`). What is there is \
                replaced only with `overwrite`. A cartridge in a drive is not exported; one that is loaded meanwhile is \
                no longer.";
    page.add("POST", "/v1/tapes/{barcode}/export", what, Some(json(&export)), &job);
    let import = ImportTape {
        files: vec!["/backup/old.tap".into()],
        format: ImportFormat::Tap,
        block_size: None,
        size: None,
        slot: Some(12),
        skip_errors: false,
    };
    let transfer = Transfer { blocks: 385, filemarks: 1, bytes: 25_231_360, errors: 0 };
    let job = Job {
        kind: "import".into(),
        file: Some("/backup/old.tap".into()),
        state: JobState::Done,
        done_bytes: 25_252_352,
        transferred: Some(transfer),
        ..job
    };
    let what = "Begins to make a cartridge with this barcode from files of the daemon's machine, in the background: from \
                one image (`tap`), one directory that an export has written (`files`), or any files (`raw`), each of \
                which becomes a tape file of blocks of `block_size` bytes. It is CREATING until all of it is on stable \
                storage; a job that fails or is cancelled leaves nothing.";
    page.add("POST", "/v1/tapes/{barcode}/import", what, Some(json(&import)), &job);
}

fn state(page: &mut Page) {
    let key = WrappingKeyId { tier: "cloud".into(), file: "/etc/capstan/tier.key".into(), id: "a1b2c3d4".into() };
    let text =
        "\n[gateway]\nname = \"gw\"\n\n[[tier]]\nencrypt_key_file = \"/etc/capstan/tier.key\"\nname = \"cloud\"\n";
    let answer = LibraryState {
        gateway: "gw".into(),
        library: "3f0f3c7e-6c1e-4f0e-9a51-0b6f1f6c8f11".into(),
        change: 42,
        image: "43415053544c4942".into(),
        claims: vec![TierClaim { tier: "cloud".into(), claim: "43415053544c4343".into() }],
        configuration: Configuration {
            text: text.into(),
            secret_files: vec!["/etc/capstan/tier.key".into()],
            wrapping_keys: vec![key],
            left_out: Vec::new(),
        },
    };
    let what = "The library without its cartridges, as `capstan state export` writes it: what is where \
                ([library-state-v1](../format/library-state-v1.md)) and the claims of tiers in hexadecimal digits, and the \
                configuration that is in effect without what a secret is.";
    page.add("GET", path::STATE, what, None, &answer);
}

fn exchange(page: &mut Page) {
    let foreign = ForeignTape {
        barcode: "CAP044L8".into(),
        id: "5b0d6c0e-0f6e-4f6e-8b8e-0d1c2b3a4958".into(),
        owner: "0c2f5a1e-7d3b-4a60-9d53-1f2e3d4c5b6a".into(),
        owner_name: Some("gw2".into()),
        size: 10 << 30,
        used: 25_231_360,
        written: 1_795_132_800,
        handed_over: true,
        handed_over_to: None,
        problem: None,
    };
    let what = "The cartridges of other gateways on the same tier.";
    page.add("GET", path::FOREIGN, what, None, &[foreign]);
    let what = "Gives a cartridge that is in no drive to another gateway. The answer comes when all of it is in the tier, and \
                it is here no more.";
    let question = Some(json(&HandOverTape { to: Some("gw2".into()) }));
    page.add("POST", "/v1/tapes/{barcode}/handover", what, question, &Done {});
    let what = "Takes over a cartridge that another gateway has given away, or with `force` one of a gateway that is lost. No \
                data is fetched.";
    let question = Some(json(&AdoptTape { slot: Some(12), force: false }));
    page.add("POST", "/v1/tapes/{barcode}/adopt", what, question, &tape());
}

fn stage(page: &mut Page) {
    let what = "Begins to bring all of a cartridge into the cache, in the background, also of one in a drive. With `pin` \
                true it is never evicted; with `pin` false it may be evicted again, and nothing is begun (`job` is \
                `null`). Asked again while it is under way, it is the same job.";
    let answer = Staged { tape: Tape { pinned: true, ..tape() }, job: Some(staging()) };
    page.add("POST", "/v1/tapes/{barcode}/stage", what, Some(json(&StageTape { pin: Some(true) })), &answer);
}

fn tiers(page: &mut Page) {
    page.add("GET", path::TIERS, "All tiers, in the order of the configuration.", None, &[tier()]);
    let what = "Tries a tier: an object is created, found, read and deleted. `good` says whether all went well, and a \
                step that did not has a `problem`.";
    let step = |what: &str, milliseconds| TestStep { what: what.into(), milliseconds, problem: None };
    let problem = Some("cannot delete v1/test: access denied".to_owned());
    let last = TestStep { problem, ..step("delete", 17) };
    let steps = vec![step("create", 48), step("find", 12), step("read", 21), last];
    let test = TierTest { name: "cloud".into(), good: false, steps };
    page.add("POST", "/v1/tiers/{name}/test", what, None, &test);
    let what = "Ships nothing more to a tier until it is resumed, also after a restart. What is on its way is finished, \
                and what is there is read.";
    page.add("POST", "/v1/tiers/{name}/pause", what, None, &Tier { state: TierState::Paused, ..tier() });
    page.add("POST", "/v1/tiers/{name}/resume", "Ships again.", None, &tier());
    let what = "Changes how many bytes a second may be sent and fetched, until the daemon starts again. What is left out \
                stays as it is, `null` lifts a limit.";
    let limits = SetLimits { upload: Some(Some(10 << 20)), download: Some(None) };
    let limited = Tier { upload_limit: Some(10 << 20), download_limit: None, ..tier() };
    page.add("POST", "/v1/tiers/{name}/limit", what, Some(json(&limits)), &limited);
    let what = "Deletes what is nobody's: objects of uploads that were given up, and of data that is not on the tape any \
                more. Only what has not changed for `older_than_seconds`.";
    let scrub = ScrubTier { older_than_seconds: 86_400 };
    let scrubbed = Scrubbed { objects: 412, orphans: 1, released: 3, bytes: 268_435_456 };
    page.add("POST", "/v1/tiers/{name}/scrub", what, Some(json(&scrub)), &scrubbed);
}

fn keys(page: &mut Page) {
    let (old, new) = ("4be3f2a1d0c9b8a7", "0f1e2d3c4b5a6978");
    let wrapped = |key: &str, cartridges| WrappedWith { wrapping_key: key.into(), cartridges };
    let keys = Keys {
        tier: "cloud".into(),
        wrapping_key: Some(old.into()),
        key_file: Some("/etc/capstan/key".into()),
        backup_confirmed: true,
        next_key: Some(new.into()),
        wrapped: vec![wrapped(old, 10), wrapped(new, 10)],
        unencrypted: 0,
    };
    let what = "Which key wraps those of the cartridges. Keys are shown by their identifiers, as \
                [object](../format/object-v1.md) has them. `next_key` is there while the key is changed.";
    page.add("GET", path::KEYS, what, None, &keys);
    let what = "Says that there is another copy of the key file, with the key of this identifier. Remembered; until then the \
                tier has a note.";
    let confirm = ConfirmBackup { wrapping_key: old.into() };
    page.add("POST", path::KEY_BACKUP, what, Some(json(&confirm)), &keys);
    let what = "Opens the wrapped key of every cartridge, here and in the tier, with the key in a file that the daemon reads; \
                with `null` the configured one.";
    let lost = KeyProblem { barcode: Some("CAP001L8".into()), what: "in the tier: there is none".into() };
    let report = |key: &str, changed, problems| KeyReport {
        wrapping_key: key.into(),
        encrypted: 10,
        unencrypted: 0,
        changed,
        problems,
    };
    let verify = VerifyKeys { key_file: None };
    page.add("POST", path::KEY_VERIFY, what, Some(json(&verify)), &report(old, 0, vec![lost]));
    let what = "Wraps the key of every cartridge with the key in a file as well, here and in the tier. Asked again it goes on \
                where it was; `changed` counts the cartridges for which there was something to do.";
    let rotate = RotateKeys { new_key_file: "/etc/capstan/key.new".into() };
    page.add("POST", path::KEY_ROTATE, what, Some(json(&rotate)), &report(new, 10, Vec::new()));
    let what = "Removes what is wrapped with older keys than the configured one, once that opens everything.";
    page.add("POST", path::KEY_REMOVE_OLD, what, Some(json(&RemoveOldKeys {})), &report(new, 10, Vec::new()));
}

fn failures(page: &mut Page) {
    page.0.push_str("\n## Failures\n\n| HTTP status | `kind` |\n|---|---|\n");
    let kinds = [ErrorKind::Invalid, ErrorKind::Refused, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Failed];
    for kind in kinds {
        let name = serde_json::to_string(&kind).unwrap();
        page.0.push_str(&format!("| {} | `{}` |\n", kind.status(), name.trim_matches('"')));
    }
    let failure = Failure::new(ErrorKind::Refused, "cartridge CAP001L8 is write-protected: it cannot be erased")
        .next("lift it first: `capstan tape unprotect CAP001L8`");
    let json = serde_json::to_string_pretty(&failure).unwrap();
    page.0
        .push_str(&format!("\n`why` and `next` are left out where the message says it all.\n\n```json\n{json}\n```\n"));
}

#[test]
fn the_reference_page_is_what_the_types_say() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/admin-api.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, reference()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), reference(), "run cargo xtask docs");
}
