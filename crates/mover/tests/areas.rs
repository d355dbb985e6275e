//! Both areas are watched, and a cache that fails stops nobody.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod rig;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use capstan_media::MediumOp;
use capstan_mover::NoticeKind;
use rig::{ID, Rig, Running};

const DONE: Vec<String> = Vec::new();

fn watched() -> Rig {
    let mut rig = Rig::new();
    rig.areas.every = Duration::from_millis(5);
    rig
}

fn told(rig: &Rig, kind: NoticeKind) -> Vec<String> {
    rig.told(kind).into_iter().map(|text| text.replace(rig.root.path().to_str().unwrap(), "")).collect()
}

/// Writes, ships and reads while the cache cannot be used; then it can be again.
fn goes_on_without_the_cache(spoil: impl Fn(&Path), mend: impl Fn(&Path), why: &str) {
    let rig = watched();
    let running = rig.start_loaded();
    running.write(0..50);
    running.shipped_to(51);
    running.until("a cache with something in it", || running.store.cached() > 0);
    spoil(&rig.cache_path());

    running.perform(MediumOp::Rewind);
    running.expect(0..50);
    running.write(50..80);
    running.shipped_to(82);
    let failed = format!("cache /cache: it cannot be used: {why}");
    running.until("told", || told(&rig, NoticeKind::AreaFailed).last() == Some(&failed));
    assert_eq!(running.operations.shipping().cache.problems, [format!("it cannot be used: {why}")]);
    assert_eq!(running.operations.shipping().buffer.problems, DONE);

    running.write(80..100);
    running.shipped_to(103);
    running.perform(MediumOp::Rewind);
    running.expect(0..50);
    running.expect(50..80);
    // What is overwritten goes from the areas as well.
    running.perform(MediumOp::Rewind);
    running.write(200..260);
    running.shipped_to(61);
    running.unload();
    running.until("an upload buffer with nothing in it", || segments(&running).is_empty());

    mend(&rig.cache_path());
    running.until("told", || !rig.told(NoticeKind::AreaRecovered).is_empty());
    assert_eq!(told(&rig, NoticeKind::AreaRecovered), ["cache /cache: it can be used again"]);
    assert_eq!(running.operations.shipping().cache.problems, DONE);
    running.load();
    running.expect(200..260);
    running.perform(MediumOp::Rewind);
    running.expect(200..260);
    running.stop();
    assert_eq!(rig.told(NoticeKind::NotShipped), DONE);
    assert_eq!(rig.told(NoticeKind::RecallFailed), DONE);
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("aside")
}

fn segments(running: &Running) -> Vec<u64> {
    running.store.look_at(ID).unwrap().segments().unwrap()
}

#[test]
fn a_cache_that_is_removed_stops_nobody() {
    let spoil = |path: &Path| fs::rename(path, aside(path)).unwrap();
    let mend = |path: &Path| fs::rename(aside(path), path).unwrap();
    goes_on_without_the_cache(spoil, mend, "No such file or directory (os error 2)");
}

#[test]
fn a_cache_whose_place_is_taken_by_a_file_stops_nobody() {
    let spoil = |path: &Path| {
        fs::rename(path, aside(path)).unwrap();
        fs::write(path, "").unwrap();
    };
    let mend = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::rename(aside(path), path).unwrap();
    };
    goes_on_without_the_cache(spoil, mend, "Not a directory (os error 20)");
}

#[test]
fn an_array_that_has_lost_disks_is_told_and_shown() {
    let mut rig = watched();
    let sysfs = rig.root.path().join("sys");
    let device = fs::metadata(rig.root.path()).unwrap().dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let md = sysfs.join("block/md0/md");
    fs::create_dir_all(&md).unwrap();
    fs::create_dir_all(sysfs.join("dev/block")).unwrap();
    symlink("../../block/md0", sysfs.join(format!("dev/block/{major}:{minor}"))).unwrap();
    for (name, value) in [("array_state", "active"), ("raid_disks", "6"), ("degraded", "2"), ("sync_action", "idle")] {
        fs::write(md.join(name), value).unwrap();
    }
    rig.areas.sysfs = sysfs;

    let running = rig.start();
    running.until("both told", || rig.told(NoticeKind::AreaDegraded).len() == 2);
    let mut degraded = told(&rig, NoticeKind::AreaDegraded);
    degraded.sort();
    assert_eq!(
        degraded,
        ["cache /cache: md0: 2 of 6 disks missing", "upload buffer /buffer: md0: 2 of 6 disks missing"]
    );
    let shipping = running.operations.shipping();
    assert_eq!(shipping.buffer.problems, ["md0: 2 of 6 disks missing"]);
    assert_eq!(shipping.cache.problems, shipping.buffer.problems);
    running.until("free space", || {
        let shipping = running.operations.shipping();
        shipping.buffer.free.is_some_and(|free| free > 0) && shipping.cache.free.is_some()
    });
    assert!(running.store.has_cache(), "it works all the same");

    fs::write(md.join("degraded"), "0").unwrap();
    running.until("both told", || rig.told(NoticeKind::AreaRecovered).len() == 2);
    assert!(told(&rig, NoticeKind::AreaRecovered).contains(&"upload buffer /buffer: md0 is whole again".to_owned()));
    assert_eq!(running.operations.shipping().buffer.problems, DONE);
    running.stop();
    assert_eq!(rig.told(NoticeKind::AreaFailed), DONE);
}
