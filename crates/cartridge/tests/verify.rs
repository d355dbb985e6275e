//! What is said of a damaged cartridge is what reading it shows, whatever the damage: no wrong byte, nothing invented,
//! nothing lost without a word.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use capstan_cartridge::model::Object;
use capstan_cartridge::{FindingKind, Progress, Report, Verified, verify};
use capstan_format::segment::{Header, Index, RunKind, TRAILER_LENGTH, Trailer};
use capstan_format::wide;
use capstan_store::Store;
use support::sample::{Sample, lost, report, short, survey};
use support::{ID, Random, overwrite, soak};

/// Compares what reading gives with what was written and with what the verification says of it.
fn agree(store: &Store, whole: &[Object], report: &Report, what: &str) {
    match survey(store) {
        Ok(found) => {
            assert!(report.loadable, "{what}");
            assert_eq!((report.objects, found.len()), (wide(whole.len()), whole.len()), "{what}");
            for (number, (found, was)) in found.iter().zip(whole).enumerate() {
                assert!(found.as_ref().is_none_or(|found| found == was), "{what}: object {number} is another");
            }
            assert_eq!(report.lost_ranges, lost(&found), "{what}: {:#?}", report.findings);
            assert_eq!(report.lost, wide(found.iter().filter(|object| object.is_none()).count()), "{what}");
            let readable: u64 = report.readable().iter().map(|range| range.end - range.start).sum();
            assert_eq!(readable + report.lost, report.objects, "{what}");
        }
        Err(error) => {
            assert!(!report.loadable, "{what}: {error}");
            assert!(!report.is_good(), "{what}");
        }
    }
}

/// A region of a file, what a flipped bit in it is called, and which objects it costs.
type Region = (Range<u64>, FindingKind, Range<u64>);

/// All regions of a sealed segment of which the tape has the objects before `end`.
fn regions(bytes: &[u8], end: u64) -> Vec<Region> {
    let header = Header::decode(bytes).unwrap();
    let trailer = Trailer::decode(&bytes[bytes.len() - TRAILER_LENGTH..], wide(bytes.len())).unwrap();
    let index_at = usize::try_from(trailer.index_offset).unwrap();
    let index = Index::decode(&bytes[index_at..bytes.len() - TRAILER_LENGTH], header.start).unwrap();
    let mut regions = vec![(0..512, FindingKind::Header, 0..0), (512..1024, FindingKind::Header, 0..0)];
    for run in index.runs() {
        let records = match run.kind {
            RunKind::Blocks { count, .. } => count,
            RunKind::Filemarks { .. } | RunKind::Gap { .. } => 1,
        };
        for record in 0..records {
            let (place, objects) = match run.kind {
                RunKind::Blocks { length, .. } => {
                    let (at, object) = (run.record_offset(record), run.start.object + record);
                    (at..at + 48 + u64::from(length), object..object + 1)
                }
                RunKind::Filemarks { .. } | RunKind::Gap { .. } => {
                    (run.offset..run.end_offset(), run.start.object..run.end().object)
                }
            };
            regions.push((place, FindingKind::Record, objects.start.min(end)..objects.end.min(end)));
        }
    }
    let trailer_at = wide(bytes.len() - TRAILER_LENGTH);
    regions.push((trailer.index_offset..trailer_at, FindingKind::Index, 0..0));
    regions.push((trailer_at..wide(bytes.len()), FindingKind::Trailer, 0..0));
    regions
}

fn flip(path: &Path, offset: u64, bit: u64) {
    let byte = fs::read(path).unwrap()[usize::try_from(offset).unwrap()];
    overwrite(path, offset, &[byte ^ (1 << bit)]);
}

#[test]
fn a_whole_cartridge_is_good() {
    for unloaded in [true, false] {
        let sample = Sample::new(unloaded);
        let store = sample.store();
        let mut seen = Vec::new();
        let verified = verify(&store, ID, &mut |progress: Progress| {
            seen.push(progress);
            ControlFlow::Continue(())
        });
        let Verified::Whole(report) = verified.unwrap() else { panic!("nobody cancels") };
        assert!(report.is_good(), "{:#?}", report.findings);
        assert_eq!((report.findings.len(), report.lost, report.more), (0, 0, 0));
        let everything = 0..wide(sample.whole.len());
        assert_eq!(report.readable(), std::slice::from_ref(&everything));
        assert_eq!(report.filemarks, wide(sample.whole.iter().filter(|object| **object == Object::Filemark).count()));
        let files = sample.image();
        assert_eq!(report.files, wide(files.len()));
        let total: usize = files.values().map(Vec::len).sum();
        assert!(seen.iter().all(|progress| progress.total == wide(total)) && seen.is_sorted_by_key(|p| p.done));
        assert_eq!((report.bytes, seen.last().unwrap().done), (wide(total), wide(total)), "every byte is read");
        assert_eq!(sample.image(), files, "nothing is changed");
        agree(&store, &sample.whole, &report, "whole");
    }
}

#[test]
fn it_ends_when_it_is_told_to() {
    let sample = Sample::new(true);
    let mut asked = 0;
    let verified = verify(&sample.store(), ID, &mut |_| {
        asked += 1;
        if asked == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(verified.unwrap(), Verified::Cancelled);
    assert!(asked < 10, "{asked}");
}

/// Every byte of every file (each third; all of them in the long form).
#[test]
fn every_flipped_bit_is_named_by_file_offset_and_objects() {
    let sample = Sample::new(true);
    let store = sample.store();
    let step = if soak() > 1 { 1 } else { 3 };
    let (mut flips, mut costs) = (0_u64, 0_u64);
    let segments: Vec<(_, Vec<u8>)> =
        sample.segments().into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let starts: Vec<u64> = segments.iter().map(|(_, bytes)| Header::decode(bytes).unwrap().start.object).collect();
    let mut all =
        vec![(sample.meta(), vec![(0..512, FindingKind::Metadata, 0..0), (512..1024, FindingKind::Metadata, 0..0)])];
    for (number, (path, bytes)) in segments.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(wide(sample.whole.len()));
        all.push((path.clone(), regions(bytes, end)));
    }
    let overwritten = |region: &Region| region.1 == FindingKind::Record && region.2.is_empty();
    assert!(all.len() >= 7 && all.iter().any(|(_, regions)| regions.iter().filter(|r| overwritten(r)).count() > 1));
    for (path, regions) in &all {
        let length = regions.last().unwrap().0.end;
        assert_eq!(length, path.metadata().unwrap().len());
        for offset in (flips % step..length).step_by(usize::try_from(step).unwrap()) {
            let bit = offset % 8;
            flip(path, offset, bit);
            let what = format!("{} at {offset}", short(path));
            let report = report(&store);
            let (place, kind, objects) = regions.iter().find(|(place, ..)| place.contains(&offset)).unwrap();
            let [finding] = report.findings.as_slice() else { panic!("{what}: {:#?}", report.findings) };
            assert_eq!((&finding.file, finding.kind), (path, *kind), "{what}");
            assert_eq!(finding.offset..finding.offset + finding.length, *place, "{what}: {finding:?}");
            assert_eq!(finding.objects.end - finding.objects.start, objects.end - objects.start, "{what}");
            assert!(objects.is_empty() || finding.objects == *objects, "{what}");
            assert!(!report.is_good() && report.loadable, "{what}");
            agree(&store, &sample.whole, &report, &what);
            flip(path, offset, bit);
            flips += 1;
            costs += report.lost;
        }
    }
    assert!(report(&store).is_good());
    assert!(flips > 4000 && costs > 2000, "{flips} flips, {costs} objects");
    println!("{flips} flips cost {costs} objects");
}

#[test]
fn after_the_process_died_a_flipped_bit_is_told_as_loading_finds_it() {
    let sample = Sample::new(false);
    let image = sample.image();
    let mut not_loadable = 0;
    for (path, bytes) in &image {
        for offset in (0..wide(bytes.len())).step_by(if soak() > 1 { 5 } else { 61 }) {
            flip(path, offset, offset % 8);
            let store = sample.store();
            let report = report(&store);
            let what = format!("{} at {offset}", short(path));
            // The last marker is written after the synchronisation: it may be lost like anything that comes later.
            let marker = sample.segments().last() == Some(path) && offset + 48 >= wide(bytes.len());
            assert_eq!(report.findings.is_empty(), marker, "{what}");
            not_loadable += u64::from(!report.loadable);
            agree(&store, &sample.whole, &report, &what);
            drop(store);
            sample.restore(&image);
        }
    }
    assert_eq!(not_loadable, 0, "one bit never makes a tape unreadable");
}

#[test]
fn missing_truncated_and_doubled_segments_are_told() {
    for unloaded in [true, false] {
        let sample = Sample::new(unloaded);
        let image = sample.image();
        let segments = sample.segments();
        for (number, path) in segments.iter().enumerate() {
            let good = &image[path];
            let end = segments
                .get(number + 1)
                .map_or(wide(sample.whole.len()), |next| Header::decode(&image[next]).unwrap().start.object);
            let last = number + 1 == segments.len();
            let try_it = |kind: Option<FindingKind>, what: &str| {
                let store = sample.store();
                let report = report(&store);
                let what = format!("{what} {} unloaded={unloaded}", short(path));
                if let Some(kind) = kind {
                    assert!(report.findings.iter().any(|f| (f.kind, &f.file) == (kind, path)), "{what}: {report:#?}");
                }
                // Of the last segment of a tape that was not unloaded nothing but itself tells.
                if unloaded || !last {
                    agree(&store, &sample.whole, &report, &what);
                }
                drop(store);
                sample.restore(&image);
            };
            fs::remove_file(path).unwrap();
            try_it((unloaded || !last).then_some(FindingKind::Missing), "missing");
            for other in segments.iter().filter(|other| *other != path) {
                fs::copy(other, path).unwrap();
                try_it((unloaded || !last).then_some(FindingKind::Duplicate), "another in the place of");
            }
            let cuts = (0..good.len()).step_by(if soak() > 1 { 1 } else { 97 });
            for length in cuts.chain(good.len() - 100..good.len()) {
                fs::write(path, &good[..length]).unwrap();
                // A tape that was unloaded is sealed to its last byte.
                try_it(
                    (unloaded && !is_as_good(&good[..length], good, end)).then_some(FindingKind::Truncated),
                    &format!("{length} bytes of"),
                );
            }
            fs::write(path, [good.as_slice(), b"more than there was"].concat()).unwrap();
            try_it(unloaded.then_some(FindingKind::Foreign), "more at the end of");
        }
    }
}

/// The object before which the tape has what is in segment `number`.
fn end_of(sample: &Sample, image: &BTreeMap<PathBuf, Vec<u8>>, number: usize) -> u64 {
    let next = sample.segments().get(number + 1).map(|next| Header::decode(&image[next]).unwrap().start.object);
    next.unwrap_or(wide(sample.whole.len()))
}

/// Whether a segment still has all that the tape has of it, and no index: like one of a process that died while it
/// wrote what is overwritten now, which nothing can tell from it.
fn is_as_good(now: &[u8], before: &[u8], end: u64) -> bool {
    if now == before {
        return true;
    }
    let regions = regions(before, end);
    let needed = regions.iter().filter(|(_, _, objects)| !objects.is_empty()).map(|(place, ..)| place.end).max();
    let needed = usize::try_from(needed.unwrap()).unwrap();
    let index = regions.iter().find(|(_, kind, _)| *kind == FindingKind::Index).unwrap();
    let sealed = index.0.start < wide(now.len()) && now.len() < before.len() && before.starts_with(now);
    now.get(..needed) == before.get(..needed) && !sealed
}

#[test]
fn files_that_do_not_belong_there_are_named() {
    let sample = Sample::new(true);
    let store = sample.store();
    let segments = sample.segments();
    let fan = segments[0].parent().unwrap().to_owned();
    let cartridge = fan.parent().unwrap().to_owned();
    fs::copy(&segments[1], fan.join("000000099.seg")).unwrap();
    fs::copy(&segments[1], fan.join("000001002.seg")).unwrap();
    fs::write(fan.join("000000098.seg"), b"this is no segment").unwrap();
    fs::write(cartridge.join("notes.txt"), b"x").unwrap();
    fs::create_dir(cartridge.join("lost+found")).unwrap();
    fs::write(cartridge.join("cartridge.meta.new"), b"half").unwrap();
    let mut stranger = fs::read(&segments[2]).unwrap();
    let mut header = Header::decode(&stranger).unwrap();
    header.cartridge.0[0] ^= 1;
    stranger[..1024].copy_from_slice(&header.encode());
    fs::write(fan.join("000000097.seg"), stranger).unwrap();
    let report = report(&store);
    let found: Vec<_> = report.findings.iter().map(|f| (short(&f.file), f.kind, f.length)).collect();
    let length = segments[1].metadata().unwrap().len();
    let expected = [
        ("000000/000000097.seg", FindingKind::Foreign, segments[2].metadata().unwrap().len()),
        ("000000/000000098.seg", FindingKind::Foreign, 18),
        ("000000/000000099.seg", FindingKind::Duplicate, length),
        ("000000/000001002.seg", FindingKind::Foreign, length),
        ("cartridge.meta.new", FindingKind::Leftover, 4),
        ("lost+found", FindingKind::Foreign, 0),
        ("notes.txt", FindingKind::Foreign, 1),
    ];
    assert_eq!(found, expected.map(|(name, kind, length)| (name.to_owned(), kind, length)));
    assert_eq!(report.lost, 0);
    agree(&store, &sample.whole, &report, "foreign files");
}

#[test]
fn what_an_interrupted_change_leaves_is_no_damage() {
    let sample = Sample::new(true);
    fs::write(sample.meta().with_file_name("cartridge.meta.new"), b"half").unwrap();
    assert!(report(&sample.store()).is_good());
}

#[test]
fn metadata_that_are_older_than_the_tape_are_told() {
    let old = Sample::new(true);
    let meta = fs::read(old.meta()).unwrap();
    let store = old.store();
    let mut cartridge = capstan_cartridge::Cartridge::open_with(&store, ID, support::sample::options()).unwrap();
    let target = capstan_media::LocateTarget::EndOfData;
    cartridge.perform(capstan_media::MediumOp::Locate { partition: capstan_media::Partition(0), target }).unwrap();
    cartridge.perform(support::write(vec![1; 100])).unwrap();
    cartridge.close().unwrap();
    fs::write(old.meta(), meta).unwrap();
    let report = report(&store);
    let [finding] = report.findings.as_slice() else { panic!("{report:#?}") };
    assert_eq!((finding.kind, &finding.file), (FindingKind::Newer, old.segments().last().unwrap()));
}

#[test]
fn without_metadata_the_segments_are_verified_each_by_itself() {
    let sample = Sample::new(true);
    let store = sample.store();
    for damage in [0, 1] {
        match damage {
            0 => fs::write(sample.meta(), vec![0; 1024]).unwrap(),
            _ => fs::remove_file(sample.meta()).unwrap(),
        }
        flip(&sample.segments()[1], 1024 + 60, 1);
        let report = report(&store);
        assert!(!report.loadable && report.barcode.is_none() && !report.is_good());
        let kinds: Vec<_> = report.findings.iter().map(|finding| (finding.kind, short(&finding.file))).collect();
        let meta = if damage == 0 { FindingKind::Metadata } else { FindingKind::Missing };
        assert_eq!(kinds[0], (meta, "cartridge.meta".to_owned()));
        assert_eq!(kinds.last().unwrap(), &(FindingKind::Record, "000000/000000002.seg".to_owned()), "{kinds:?}");
        flip(&sample.segments()[1], 1024 + 60, 1);
    }
}

/// Several kinds of damage at once, at random places.
#[test]
fn whatever_happens_to_the_files_nothing_wrong_is_read_and_nothing_is_lost_in_silence() {
    for unloaded in [true, false] {
        let sample = Sample::new(unloaded);
        let image = sample.image();
        let paths: Vec<_> = image.keys().cloned().collect();
        let segments = sample.segments();
        let ends: Vec<u64> = (0..segments.len()).map(|number| end_of(&sample, &image, number)).collect();
        for seed in 0..150 * soak() {
            let mut random = Random::new(seed);
            for _ in 0..=random.below(3) {
                // The last segment of a tape that was not unloaded is its only witness.
                let pick = &paths[usize::try_from(random.below(wide(paths.len()))).unwrap()];
                if !unloaded && (Some(pick) == segments.last() || *pick == sample.meta()) {
                    continue;
                }
                let length = fs::metadata(pick).map_or(0, |found| found.len());
                let at = random.below(length.max(1));
                match random.below(5) {
                    0 if length > 0 => flip(pick, at, random.below(8)),
                    1 => drop(fs::OpenOptions::new().write(true).open(pick).map(|file| file.set_len(at))),
                    2 if length > 0 => overwrite(pick, at, &vec![0; usize::try_from((length - at).min(700)).unwrap()]),
                    3 if *pick != sample.meta() => drop(fs::remove_file(pick)),
                    _ if length > 0 => {
                        let other = &paths[usize::try_from(random.below(wide(paths.len()))).unwrap()];
                        fs::write(pick, &image[other]).unwrap();
                    }
                    _ => {}
                }
            }
            let changed = sample.image() != image;
            let store = sample.store();
            let report = report(&store);
            let what = format!("seed {seed} unloaded={unloaded}");
            agree(&store, &sample.whole, &report, &what);
            assert!(changed || report.is_good(), "{what}: {:#?}", report.findings);
            if report.is_good() {
                let good =
                    |number: usize, path: &PathBuf| is_as_good(&fs::read(path).unwrap(), &image[path], ends[number]);
                assert!(segments.iter().enumerate().all(|(number, path)| good(number, path)), "{what}");
            }
            drop(store);
            sample.restore(&image);
        }
    }
}
