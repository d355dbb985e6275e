//! Cartridges are made from files and written to files, behind everything else.

use std::fs;
use std::path::{Path, PathBuf};

use capstan_library::{
    CartridgeState, ErrorKind, EventKind, ExportFormat, ExportTape, ImportFormat, ImportTape, JobInfo, JobOutcome,
    JobState, LibraryError, Transfer,
};
use capstan_media::Place;

use crate::bench::{Bench, DRIVE, SLOT, barcode, block};
use crate::disk::Mood;
use crate::host::{END_OF_DATA, FILEMARK, sense};

/// What a tape holds; `None` is a filemark.
type Objects = Vec<Option<Vec<u8>>>;

/// The image of it, laid out by hand.
pub fn image(objects: &Objects) -> Vec<u8> {
    let mut image = Vec::new();
    for object in objects {
        match object {
            None => image.extend(0_u32.to_le_bytes()),
            Some(block) => image.extend(record(0, block)),
        }
    }
    image.extend(u32::MAX.to_le_bytes());
    image
}

fn record(class: u32, data: &[u8]) -> Vec<u8> {
    let marker = (class << 28 | data.len() as u32).to_le_bytes();
    [&marker[..], data, &[0][..data.len() % 2], &marker].concat()
}

/// The same tape for the same seed: lengths from 1 byte to 8 MiB, in runs and alone; filemarks in runs.
fn tape(seed: u64) -> Objects {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |limit: u64| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % limit
    };
    let mut objects = Objects::new();
    for _ in 0..25 {
        let count = 1 + below(4);
        let length = match below(8) {
            0 => 1,
            1 => 8 << 20,
            2..5 => 1 + below(600),
            _ => 1 + below(200_000),
        };
        // Of the longest there is one at a time, and few in all.
        let count = if length > 1 << 20 { 1 } else { count };
        match below(4) {
            0 => objects.extend((0..count).map(|_| None)),
            _ => objects.extend((0..count).map(|each| Some(block(each + below(200), length as usize)))),
        }
    }
    objects
}

pub fn import_order(label: &str, files: &[&Path], format: ImportFormat) -> ImportTape {
    ImportTape {
        barcode: barcode(label),
        files: files.iter().map(|file| file.to_path_buf()).collect(),
        format,
        size: None,
        at_least: 0,
        slot: None,
        skip_errors: false,
    }
}

pub fn export_order(path: &Path, format: ExportFormat) -> ExportTape {
    ExportTape { path: path.to_owned(), format, overwrite: false, from_filemark: 0, to_filemark: None }
}

pub fn import(bench: &Bench, order: ImportTape) -> Result<JobInfo, LibraryError> {
    bench.ask(|librarian| async move { librarian.import_tape(order).await })
}

pub fn export(bench: &Bench, label: &str, order: ExportTape) -> Result<JobInfo, LibraryError> {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.export_tape(barcode, order).await })
}

pub fn ended(bench: &Bench, job: &JobInfo) -> JobState {
    bench.until(|bench| bench.library().jobs().job(job.id).unwrap().state.is_ended());
    bench.library().jobs().job(job.id).unwrap().state
}

pub fn transferred(bench: &Bench, job: Result<JobInfo, LibraryError>) -> Transfer {
    match ended(bench, &job.unwrap()) {
        JobState::Done(JobOutcome::Transferred(transfer)) => transfer,
        state => panic!("{state:?}"),
    }
}

fn failed(bench: &Bench, job: Result<JobInfo, LibraryError>) -> String {
    match ended(bench, &job.unwrap()) {
        JobState::Failed(why) => why,
        state => panic!("{state:?}"),
    }
}

fn file(bench: &Bench, name: &str, bytes: &[u8]) -> PathBuf {
    let path = bench.outside().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn is_known(bench: &Bench, label: &str) -> bool {
    let barcode = barcode(label);
    bench.ask(|librarian| async move { librarian.tape(barcode).await }).is_ok()
}

fn sums(objects: &Objects) -> Transfer {
    let blocks: Vec<_> = objects.iter().flatten().collect();
    Transfer {
        blocks: blocks.len() as u64,
        filemarks: (objects.len() - blocks.len()) as u64,
        bytes: blocks.iter().map(|block| block.len() as u64).sum(),
        errors: 0,
    }
}

#[test]
fn what_was_imported_is_exported_byte_for_byte_in_every_format() {
    for seed in 1..=4 {
        let bench = Bench::new();
        let objects = tape(seed);
        let golden = image(&objects);
        let tap = file(&bench, "in.tap", &golden);
        let order = ImportTape { at_least: 300 << 20, ..import_order("TAP001L8", &[&tap], ImportFormat::Tap) };
        assert_eq!(transferred(&bench, import(&bench, order)), sums(&objects), "seed {seed}");
        let shown = bench.tape("TAP001L8");
        assert_eq!((shown.state, shown.place), (CartridgeState::Available, Some(Place::Slot(5))));
        assert_eq!((shown.objects, shown.size), (objects.len() as u64, 300 << 20));
        let out = bench.outside().join("out.tap");
        let done = transferred(&bench, export(&bench, "TAP001L8", export_order(&out, ExportFormat::Tap)));
        assert_eq!(done, sums(&objects));
        assert!(fs::read(&out).unwrap() == golden, "seed {seed}: another image");
        let files = bench.outside().join("files");
        transferred(&bench, export(&bench, "TAP001L8", export_order(&files, ExportFormat::Files)));
        let order = ImportTape { at_least: 300 << 20, ..import_order("TAP002L8", &[&files], ImportFormat::Files) };
        assert_eq!(transferred(&bench, import(&bench, order)), sums(&objects));
        let again = bench.outside().join("again.tap");
        transferred(&bench, export(&bench, "TAP002L8", export_order(&again, ExportFormat::Tap)));
        assert!(fs::read(&again).unwrap() == golden, "seed {seed}: another image by way of a directory");
    }
}

#[test]
fn a_directory_has_a_file_for_each_tape_file_and_says_how_it_is_cut() {
    let bench = Bench::new();
    let one = |byte: u8, length| Some(vec![byte; length]);
    let objects = vec![one(1, 10), one(2, 10), one(3, 4), None, None, one(4, 7), None, None];
    let tap = file(&bench, "in.tap", &image(&objects));
    transferred(&bench, import(&bench, import_order("DIR001L8", &[&tap], ImportFormat::Tap)));
    let files = bench.outside().join("files");
    transferred(&bench, export(&bench, "DIR001L8", export_order(&files, ExportFormat::Files)));
    let index = "capstan tape files 1\nfile 000000.raw\nblocks 2 10\nblocks 1 4\nfilemarks 2\nfile 000002.raw\n\
                 blocks 1 7\nfilemarks 2\nend\n";
    assert_eq!(fs::read_to_string(files.join("index.txt")).unwrap(), index);
    assert_eq!(fs::read(files.join("000000.raw")).unwrap(), [vec![1; 10], vec![2; 10], vec![3; 4]].concat());
    assert_eq!(fs::read(files.join("000002.raw")).unwrap(), [4; 7]);
    assert_eq!(fs::read_dir(&files).unwrap().count(), 3);
    // It replaces itself when it may, and nothing that is not such a directory.
    let order = export_order(&files, ExportFormat::Files);
    assert!(failed(&bench, export(&bench, "DIR001L8", order.clone())).contains("exists already"));
    let order = ExportTape { overwrite: true, from_filemark: 2, to_filemark: Some(3), ..order };
    transferred(&bench, export(&bench, "DIR001L8", order.clone()));
    let index = "capstan tape files 1\nfile 000000.raw\nblocks 1 7\nfilemarks 1\nend\n";
    assert_eq!(fs::read_to_string(files.join("index.txt")).unwrap(), index);
    assert_eq!(fs::read_dir(&files).unwrap().count(), 2);
    fs::write(files.join("precious"), "x").unwrap();
    assert!(failed(&bench, export(&bench, "DIR001L8", order)).contains("with other files than an export writes"));
    assert!(files.join("precious").exists());
    // An index that does not agree with its files is refused.
    fs::write(files.join("000000.raw"), [4; 8]).unwrap();
    let why = failed(&bench, import(&bench, import_order("DIR002L8", &[&files], ImportFormat::Files)));
    assert!(why.ends_with("000000.raw: the index has 7 bytes of it, and there are 8"), "{why}");
    fs::write(files.join("index.txt"), &index[..30]).unwrap();
    let why = failed(&bench, import(&bench, import_order("DIR002L8", &[&files], ImportFormat::Files)));
    assert!(why.ends_with("index.txt: line 2: it is no line of an index"), "{why}");
    assert!(!is_known(&bench, "DIR002L8"));
}

#[test]
fn raw_files_become_tape_files() {
    let mut bench = Bench::new();
    let (one, two) = (file(&bench, "one", &[7; 2500]), file(&bench, "two", b""));
    let order = ImportTape { slot: Some(8), ..import_order("RAW001L8", &[&one, &two, &one], ImportFormat::Raw(1000)) };
    let done = transferred(&bench, import(&bench, order));
    assert_eq!(done, Transfer { blocks: 6, filemarks: 3, bytes: 5000, errors: 0 });
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 8, 0);
    for expected in [1000, 1000, 500, 0, 0, 1000, 1000, 500, 0] {
        match expected {
            0 => assert_eq!(drive.read(), Err(FILEMARK)),
            length => assert_eq!(drive.read().unwrap(), vec![7; length]),
        }
    }
    assert_eq!(drive.read(), Err(END_OF_DATA));
    let events = bench.library().events().since(0).events;
    let event = events.iter().find(|event| event.kind == EventKind::Imported).unwrap();
    assert_eq!(event.barcode, Some(barcode("RAW001L8")));
    assert_eq!(event.text, format!("6 blocks of 5000 bytes in all, 3 filemarks; {}", one.display()));
}

#[test]
fn part_of_a_tape_is_exported() {
    let bench = Bench::new();
    let one = |byte: u8| Some(vec![byte; 5]);
    let objects = vec![one(0), None, one(1), one(2), None, None, one(3)];
    let tap = file(&bench, "in.tap", &image(&objects));
    transferred(&bench, import(&bench, import_order("CUT001L8", &[&tap], ImportFormat::Tap)));
    let cases =
        [(0, None, 0..7), (1, None, 2..7), (1, Some(2), 2..5), (2, Some(3), 5..6), (3, None, 6..7), (2, Some(2), 5..5)];
    for (index, (from_filemark, to_filemark, range)) in cases.into_iter().enumerate() {
        let out = bench.outside().join(format!("{index}.tap"));
        let order = ExportTape { from_filemark, to_filemark, ..export_order(&out, ExportFormat::Tap) };
        transferred(&bench, export(&bench, "CUT001L8", order));
        assert_eq!(fs::read(&out).unwrap(), image(&objects[range].to_vec()), "{index}");
    }
    let out = bench.outside().join("none.tap");
    let order = ExportTape { to_filemark: Some(4), ..export_order(&out, ExportFormat::Tap) };
    let why = failed(&bench, export(&bench, "CUT001L8", order));
    assert_eq!(why, "the cartridge has 3 filemarks, and number 4 was asked for");
    assert!(!out.exists() && !bench.outside().join("none.tap.part").exists());
}

#[test]
fn a_block_that_cannot_be_read_is_marked_and_is_imported_only_on_demand() {
    let bench = Bench::new();
    let objects: Objects = (0..6).map(|number| Some(block(number, 5000))).collect();
    let tap = file(&bench, "in.tap", &image(&objects));
    transferred(&bench, import(&bench, import_order("BAD001L8", &[&tap], ImportFormat::Tap)));
    let id = bench.tape("BAD001L8").id.to_string();
    let segment = bench.state_dir().join("cartridges/tapes").join(&id[..2]).join(&id).join("000000/000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[1024 + 3 * 5048 + 100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let out = bench.outside().join("out.tap");
    let done = transferred(&bench, export(&bench, "BAD001L8", export_order(&out, ExportFormat::Tap)));
    assert_eq!(done, Transfer { blocks: 5, filemarks: 0, bytes: 25_000, errors: 1 });
    let mut expected = image(&objects);
    let at = 3 * 5008;
    expected.splice(at..at + 5008, [0, 0, 0, 0x80, 0, 0, 0, 0x80]);
    assert!(fs::read(&out).unwrap() == expected);
    let events = bench.library().events().since(0).events;
    let event = events.iter().find(|event| event.kind == EventKind::Exported).unwrap();
    assert!(event.text.starts_with("5 blocks of 25000 bytes in all, 0 filemarks, 1 could not be read; "));

    let order = import_order("BAD002L8", &[&out], ImportFormat::Tap);
    let why = failed(&bench, import(&bench, order.clone()));
    let expected = format!(
        "{}: byte {at}: a block that could not be read when the image was made; --skip-errors leaves such blocks out",
        out.display()
    );
    assert_eq!(why, expected);
    bench.until(|bench| !is_known(bench, "BAD002L8"));
    let done = transferred(&bench, import(&bench, ImportTape { skip_errors: true, ..order }));
    assert_eq!(done, Transfer { blocks: 5, filemarks: 0, bytes: 25_000, errors: 1 });
}

#[test]
fn the_blocks_of_a_segment_that_is_gone_are_marked_one_by_one() {
    let bench = Bench::with(|options| options.cartridge.segment_size = 128 << 10);
    let objects: Objects = (0..10).map(|number| Some(block(number, 40 << 10))).collect();
    let tap = file(&bench, "in.tap", &image(&objects));
    transferred(&bench, import(&bench, import_order("BAD001L8", &[&tap], ImportFormat::Tap)));
    let id = bench.tape("BAD001L8").id.to_string();
    let segments = bench.state_dir().join("cartridges/tapes").join(&id[..2]).join(&id).join("000000");
    fs::remove_file(segments.join("000000002.seg")).unwrap();
    let out = bench.outside().join("out.tap");
    let done = transferred(&bench, export(&bench, "BAD001L8", export_order(&out, ExportFormat::Tap)));
    assert_eq!(done, Transfer { blocks: 7, filemarks: 0, bytes: 7 * (40 << 10), errors: 3 });
    let mut expected = image(&objects);
    let length = (40 << 10) + 8;
    expected.splice(3 * length..6 * length, [0, 0, 0, 0x80, 0, 0, 0, 0x80].repeat(3));
    assert!(fs::read(&out).unwrap() == expected);
}

#[test]
fn what_is_no_image_or_does_not_fit_leaves_nothing() {
    let bench = Bench::new();
    let cut = image(&vec![Some(vec![1; 100])]);
    let too_long = [record(0, b"good"), 0x0080_0001_u32.to_le_bytes().to_vec()].concat();
    let big: Objects = (0..17).map(|number| Some(block(number, 8 << 20))).collect();
    let cases: [(&str, Vec<u8>, &str); 4] = [
        (
            "cut.tap",
            cut[..50].to_vec(),
            "byte 0: a record of 100 bytes was expected to end at byte 108, and the file ends at byte 50",
        ),
        ("long.tap", too_long, "byte 12: a record of 8388609 bytes, and a block of at most 8388608 was expected"),
        (
            "text.tap",
            b"What is this?".to_vec(),
            "byte 4: a record of 7563552 bytes was expected to end at byte 7563564, and the file ends at byte 13",
        ),
        ("big.tap", image(&big), "more bytes than a cartridge of 128 MiB takes; --size makes a larger one"),
    ];
    for (name, bytes, expected) in cases {
        let path = file(&bench, name, &bytes);
        let why = failed(&bench, import(&bench, import_order("NOT001L8", &[&path], ImportFormat::Tap)));
        assert!(why.contains(expected), "{name}: {why}");
        assert!(!is_known(&bench, "NOT001L8"), "{name}");
    }
    let why = failed(&bench, import(&bench, import_order("NOT001L8", &[Path::new("/no/such")], ImportFormat::Tap)));
    assert!(why.starts_with("cannot open /no/such: "), "{why}");
    assert_eq!(bench.library().store().list().unwrap().len(), 4);
}

#[test]
fn what_cannot_be_is_refused_at_once() {
    let mut bench = Bench::new();
    let order = import_order("CAP001L8", &[Path::new("/x")], ImportFormat::Tap);
    let kind = |order: &ImportTape| {
        let error = import(&bench, order.clone()).unwrap_err();
        (error.kind(), error.to_string())
    };
    assert_eq!(kind(&order), (ErrorKind::InUse, "there is a cartridge CAP001L8 already".to_owned()));
    let order = ImportTape { barcode: barcode("NEW001L8"), slot: Some(2), ..order };
    assert_eq!(kind(&order), (ErrorKind::InUse, "slot:2 holds cartridge CAP002L8".to_owned()));
    let order = ImportTape { slot: Some(9), ..order };
    assert_eq!(kind(&order), (ErrorKind::NotFound, "there is no slot:9: the library has 8 slots".to_owned()));
    let order = ImportTape { slot: None, size: Some(1000), ..order };
    assert_eq!(kind(&order).0, ErrorKind::Invalid);
    let mut changer = bench.changer();
    drop(bench.loaded(&mut changer, 2, 1));
    let error = export(&bench, "CAP002L8", export_order(Path::new("/x"), ExportFormat::Tap)).unwrap_err();
    assert_eq!(error.to_string(), "cartridge CAP002L8 is in drive:1: it cannot be exported there");
}

#[test]
fn a_cartridge_that_is_being_made_is_nobody_elses_and_cancelling_leaves_nothing() {
    for end in ["cancel", "stop"] {
        let mut bench = Bench::new();
        let tap = file(&bench, "in.tap", &image(&vec![Some(vec![1; 100])]));
        // It waits in the first synchronisation.
        bench.disk.set(Mood::Waiting);
        let job = import(&bench, import_order("NEW001L8", &[&tap], ImportFormat::Tap)).unwrap();
        let next = import(&bench, import_order("NEW002L8", &[&tap], ImportFormat::Tap)).unwrap();
        assert_eq!(bench.tape("NEW001L8").state, CartridgeState::Creating);
        assert_eq!(bench.tape("NEW002L8").place, Some(Place::Slot(6)));
        bench.until(|bench| bench.library().jobs().job(job.id).unwrap().state == JobState::Running);
        let mut changer = bench.changer();
        assert!(sense(&changer.move_medium(SLOT + 4, DRIVE)).is_some());
        let error = bench.ask(|librarian| async move { librarian.delete_tape(barcode("NEW001L8")).await }).unwrap_err();
        assert_eq!(error.to_string(), "cartridge NEW001L8 is CREATING: it cannot be deleted");
        let out = bench.outside().join("out.tap");
        let error = export(&bench, "NEW001L8", export_order(&out, ExportFormat::Tap)).unwrap_err();
        assert_eq!(error.to_string(), "cartridge NEW001L8 is CREATING: it cannot be exported");
        let jobs = bench.library().jobs();
        if end == "cancel" {
            jobs.cancel(next.id).unwrap();
            jobs.cancel(job.id).unwrap();
            bench.disk.set(Mood::Good);
            bench.until(|bench| !is_known(bench, "NEW001L8") && !is_known(bench, "NEW002L8"));
            assert_eq!(bench.library().store().list().unwrap().len(), 4);
            // The labels and slots are free again.
            let done = transferred(&bench, import(&bench, import_order("NEW001L8", &[&tap], ImportFormat::Tap)));
            assert_eq!(done.blocks, 1);
            assert_eq!(bench.tape("NEW001L8").place, Some(Place::Slot(5)));
        } else {
            drop(jobs);
            let disk = bench.disk.clone();
            let release = std::thread::spawn(move || disk.set(Mood::Good));
            bench.shutdown();
            release.join().unwrap();
            bench.start();
            let labels: Vec<_> = bench.ask(|it| async move { it.tapes().await }).unwrap();
            assert!(labels.iter().all(|tape| tape.state == CartridgeState::Available), "{labels:?}");
            assert_eq!(bench.library().store().list().unwrap().len(), labels.len());
        }
    }
}

#[test]
fn a_job_that_panics_gives_its_place_back() {
    let bench = Bench::new();
    let tap = file(&bench, "in.tap", &image(&vec![Some(vec![1; 100])]));
    bench.disk.set(Mood::Panicking);
    let why = failed(&bench, import(&bench, import_order("NEW001L8", &[&tap], ImportFormat::Tap)));
    bench.disk.set(Mood::Good);
    assert_eq!(why, "the job itself failed");
    assert!(!is_known(&bench, "NEW001L8"));
    assert_eq!(bench.library().store().list().unwrap().len(), 4);
    let done = transferred(&bench, import(&bench, import_order("NEW001L8", &[&tap], ImportFormat::Tap)));
    assert_eq!(done.blocks, 1);
}

#[test]
fn a_drive_that_wants_the_cartridge_goes_first() {
    let mut bench = Bench::new();
    let mut changer = bench.changer();
    let mut drive = bench.loaded(&mut changer, 1, 0);
    drive.write_good(b"block");
    drop(drive);
    assert_eq!(sense(&changer.move_medium(DRIVE, SLOT)), None);
    // It waits where all is written.
    bench.disk.set(Mood::Waiting);
    let out = bench.outside().join("out.tap");
    let job = export(&bench, "CAP001L8", export_order(&out, ExportFormat::Tap)).unwrap();
    let part = bench.outside().join("out.tap.part");
    bench.until(|_| fs::read(&part).is_ok_and(|bytes| bytes == image(&vec![Some(b"block".to_vec())])));
    assert_eq!(sense(&changer.move_medium(SLOT, DRIVE)), None);
    let cancelled = JobState::Cancelled("the cartridge was wanted in drive:0".to_owned());
    assert_eq!(bench.library().jobs().job(job.id).unwrap().state, cancelled);
    bench.disk.set(Mood::Good);
    bench.until(|_| !part.exists());
    assert!(!out.exists());
    assert_eq!(bench.library().jobs().job(job.id).unwrap().state, cancelled);
}
