//! Cartridges with each kind of damage, as files: every release says the same of them, for ever.
//!
//! `testdata/<kind>/cartridge` is the directory of a cartridge, `testdata/<kind>/report.txt` what is said of it.
//! `CAPSTAN_BLESS=1` writes what is missing; what is there is never replaced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use capstan_cartridge::Report;
use capstan_cartridge::model::Object;
use capstan_format::segment::Header;
use support::sample::{Sample, lost, options, report, short, survey};
use support::{ID, files, overwrite, store};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn text(report: &Report) -> String {
    let mut text = match &report.barcode {
        Some(barcode) => format!("{barcode} {}", report.cartridge),
        None => format!("? {}", report.cartridge),
    };
    let Report { objects, filemarks, used, lost, .. } = report;
    if report.loadable {
        writeln!(text, ": {objects} objects, {filemarks} of them filemarks, {used} bytes; {lost} lost").unwrap();
        writeln!(text, "readable: {:?}", report.readable()).unwrap();
    } else {
        writeln!(text, ": cannot be loaded").unwrap();
    }
    for finding in &report.findings {
        let end = finding.offset + finding.length;
        let objects = match &finding.objects {
            objects if objects.is_empty() => String::new(),
            objects => format!(" objects {objects:?} lost,"),
        };
        let what = finding.what.replace(finding.file.to_str().unwrap(), "FILE");
        writeln!(text, "{} {} {}..{end}:{objects} {what}", finding.kind, short(&finding.file), finding.offset).unwrap();
    }
    text
}

fn flip(path: &Path, offset: u64) {
    let byte = fs::read(path).unwrap()[usize::try_from(offset).unwrap()];
    overwrite(path, offset, &[byte ^ 0x10]);
}

/// What is done to a cartridge that was unloaded.
type Harm = fn(&Sample, &[PathBuf]);

const UNLOADED: &[(&str, Harm)] = &[
    ("whole", |_, _| {}),
    ("metadata-one-copy", |sample, _| flip(&sample.meta(), 70)),
    ("metadata-both-copies", |sample, _| {
        flip(&sample.meta(), 70);
        flip(&sample.meta(), 600);
    }),
    ("metadata-missing", |sample, _| fs::remove_file(sample.meta()).unwrap()),
    ("metadata-truncated", |sample, _| fs::write(sample.meta(), &fs::read(sample.meta()).unwrap()[..700]).unwrap()),
    ("metadata-of-another", |sample, _| {
        let mut meta = capstan_format::Meta::decode(&fs::read(sample.meta()).unwrap()).unwrap();
        meta.cartridge.0[3] ^= 1;
        fs::write(sample.meta(), meta.encode()).unwrap();
    }),
    ("header-one-copy", |_, segments| flip(&segments[1], 600)),
    ("header-both-copies", |_, segments| {
        flip(&segments[1], 40);
        flip(&segments[1], 600);
    }),
    ("payload", |_, segments| flip(&segments[0], 1024 + 48 + 7)),
    ("record-header", |_, segments| flip(&segments[0], 1024 + 20)),
    ("marker", |_, segments| {
        for path in &segments[..segments.len() - 1] {
            let bytes = fs::read(path).unwrap();
            if let Some(marker) = bytes.windows(5).position(|five| five == b"CREC\x03") {
                return flip(path, marker as u64 + 30);
            }
        }
        panic!("no segment has a marker");
    }),
    ("filemark", |_, segments| {
        let bytes = fs::read(&segments[0]).unwrap();
        let record = bytes.windows(5).position(|five| five == b"CREC\x02").unwrap();
        flip(&segments[0], record as u64 + 9);
    }),
    ("index", |_, segments| flip(&segments[0], segments[0].metadata().unwrap().len() - 130)),
    ("trailer", |_, segments| flip(&segments[0], segments[0].metadata().unwrap().len() - 30)),
    ("lost-page", |_, segments| overwrite(&segments[2], 1100, &[0; 600])),
    ("segment-missing", |_, segments| fs::remove_file(&segments[1]).unwrap()),
    ("five-segments-missing", |_, segments| {
        for path in &segments[1..] {
            fs::remove_file(path).unwrap();
        }
    }),
    ("segment-truncated", |_, segments| fs::write(&segments[0], &fs::read(&segments[0]).unwrap()[..1500]).unwrap()),
    ("segment-empty", |_, segments| fs::write(&segments[2], b"").unwrap()),
    ("segment-longer", |_, segments| {
        fs::write(&segments[2], [fs::read(&segments[2]).unwrap().as_slice(), b"and more"].concat()).unwrap();
    }),
    ("segment-in-the-place-of-another", |_, segments| {
        fs::copy(&segments[3], &segments[2]).unwrap();
    }),
    ("segment-doubled", |_, segments| {
        fs::copy(&segments[1], segments[1].with_file_name("000000099.seg")).unwrap();
    }),
    ("segment-of-another", |_, segments| {
        let mut bytes = fs::read(&segments[2]).unwrap();
        let mut header = Header::decode(&bytes).unwrap();
        header.cartridge.0[0] ^= 1;
        bytes[..1024].copy_from_slice(&header.encode());
        fs::write(segments[2].with_file_name("000000098.seg"), bytes).unwrap();
    }),
    ("foreign-files", |sample, segments| {
        fs::write(sample.meta().with_file_name("notes.txt"), b"mine").unwrap();
        fs::write(segments[0].with_file_name("000000001.seg~"), b"mine").unwrap();
        fs::copy(&segments[0], segments[0].with_file_name("000001001.seg")).unwrap();
    }),
    ("change-interrupted", |sample, _| fs::write(sample.meta().with_file_name("cartridge.meta.new"), b"half").unwrap()),
    ("metadata-older", |sample, _| {
        let meta = fs::read(sample.meta()).unwrap();
        let store = sample.store();
        let mut cartridge = capstan_cartridge::Cartridge::open_with(&store, ID, options()).unwrap();
        cartridge.perform(capstan_media::MediumOp::Space(capstan_media::SpaceTarget::EndOfData)).unwrap();
        cartridge.perform(support::write(vec![1; 100])).unwrap();
        cartridge.close().unwrap();
        fs::write(sample.meta(), meta).unwrap();
    }),
];

/// What is done to a cartridge whose process died after a recovery point.
const DIED: &[(&str, Harm)] = &[
    ("died", |_, _| {}),
    ("died-torn-tail", |_, segments| {
        let path = segments.last().unwrap();
        fs::write(path, [fs::read(path).unwrap().as_slice(), &[0; 100]].concat()).unwrap();
    }),
    ("died-header-of-last-lost", |_, segments| overwrite(segments.last().unwrap(), 0, &[0; 1024])),
];

/// Writes the fixtures that are missing.
fn bless() {
    let all = UNLOADED.iter().map(|harm| (harm, true)).chain(DIED.iter().map(|harm| (harm, false)));
    for ((name, harm), unloaded) in all {
        let directory = testdata().join(name).join("cartridge");
        if directory.exists() {
            continue;
        }
        let sample = Sample::new(unloaded);
        harm(&sample, &sample.segments());
        for (path, bytes) in sample.image() {
            let to = directory.join(short(&path));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, bytes).unwrap();
        }
    }
}

/// A store with the cartridge of a fixture.
fn stored(name: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let from = testdata().join(name).join("cartridge");
    for path in files(&from, "") {
        let to = root.path().join(format!("tapes/5a/{ID}")).join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
    root
}

fn whole(name: &str) -> Vec<Object> {
    let root = stored(name);
    survey(&store(root.path())).unwrap().into_iter().map(Option::unwrap).collect()
}

#[test]
fn every_kind_of_damage_is_reported_as_ever_and_reads_as_reported() {
    let blessing = std::env::var_os("CAPSTAN_BLESS").is_some();
    if blessing {
        bless();
    }
    let wholes: BTreeMap<bool, Vec<Object>> = [(false, whole("whole")), (true, whole("died"))].into();
    let mut names: Vec<String> =
        fs::read_dir(testdata()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= UNLOADED.len() + DIED.len(), "{names:?}");
    for name in names {
        let root = stored(&name);
        let store = store(root.path());
        let report = report(&store);
        let (path, said) = (testdata().join(&name).join("report.txt"), text(&report));
        if blessing && !path.exists() {
            fs::write(&path, &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(&path).unwrap(), "{name}");
        let whole = &wholes[&name.starts_with("died")];
        match survey(&store) {
            Ok(found) => {
                assert!(report.loadable, "{name}");
                assert_eq!(lost(&found), report.lost_ranges, "{name}");
                assert!(
                    found.iter().zip(whole).all(|(found, was)| found.as_ref().is_none_or(|found| found == was)),
                    "{name}"
                );
                assert_eq!(found.len(), whole.len(), "{name}");
            }
            Err(error) => assert!(!report.loadable, "{name}: {error}"),
        }
    }
}
