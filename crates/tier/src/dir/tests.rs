//! A directory as a tier, on a real file system.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::*;
use crate::names::Names;
use crate::{Capability, Probe as _, contract};

fn tier() -> (tempfile::TempDir, DirTier) {
    let directory = tempfile::tempdir().unwrap();
    let tier = DirTier::open("local", &directory.path().join("tier")).unwrap();
    (directory, tier)
}

fn left_in_new(tier: &DirTier) -> usize {
    fs::read_dir(tier.root().join(".new")).unwrap().count()
}

#[tokio::test]
async fn keeps_the_contract() {
    let (_directory, tier) = tier();
    contract(&tier, "").await;
    contract(&tier, "some/prefix/").await;
    assert_eq!(left_in_new(&tier), 0);
}

/// Threads, so that the creates are really at one time; each with a handle of its own, as gateways have.
#[test]
fn of_eight_threads_one_creates() {
    let (_directory, tier) = tier();
    for round in 0..50 {
        let (key, barrier) = (format!("v1/race/{round}/x"), Barrier::new(8));
        let racer = |number: u8| {
            let files = Files::new(tier.root());
            barrier.wait();
            files.create(&key, &Body::from(vec![number; 5000])).unwrap()
        };
        let won: Vec<Created> = std::thread::scope(|scope| {
            let racer = &racer;
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || racer(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|created| **created == Created::New).count(), 1, "round {round}");
        let winner = won.iter().position(|created| *created == Created::New).unwrap();
        let bytes = fs::read(tier.root().join(&key)).unwrap();
        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| usize::from(*byte) == winner), "round {round}");
    }
    assert_eq!(left_in_new(&tier), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_no_object_and_is_removed_when_it_is_old() {
    let (_directory, tier) = tier();
    assert_eq!(tier.create("v1/a", Body::from(vec![1])).await, Ok(Created::New));
    let left = tier.root().join(".new").join("0123");
    fs::write(&left, b"half of an obj").unwrap();
    let keys = |listing: Listing| listing.objects.into_iter().map(|object| object.key).collect::<Vec<_>>();
    assert_eq!(keys(tier.list("", None).await.unwrap()), ["v1/a"]);
    assert_eq!(tier.read(".new/0123", 0..1).await.unwrap_err().kind, TierErrorKind::Misconfigured);
    DirTier::open("local", tier.root()).unwrap();
    assert!(left.exists(), "it may be another gateway's that is at work");
    files::remove_abandoned_at(tier.root(), SystemTime::now() + Duration::from_secs(25 * 3600)).unwrap();
    assert!(!left.exists());
    assert_eq!(keys(tier.list("", None).await.unwrap()), ["v1/a"]);
}

#[tokio::test]
async fn keys_do_not_lead_out_of_the_directory() {
    let (directory, tier) = tier();
    fs::write(directory.path().join("outside"), b"x").unwrap();
    for key in ["../outside", "/etc/passwd", "a/../../outside", "", "a//b", "a/", ".hidden", "a\0b"] {
        for error in [
            tier.create(key, Body::default()).await.unwrap_err(),
            tier.read(key, 0..1).await.unwrap_err(),
            tier.head(key).await.unwrap_err(),
            tier.delete(key).await.unwrap_err(),
        ] {
            assert_eq!(error.kind, TierErrorKind::Misconfigured, "{error}");
        }
    }
    assert!(directory.path().join("outside").exists());
}

/// Nobody may take it for a tier whose objects are gone: neither where the directory is, nor where something else was
/// mounted on it.
#[tokio::test]
async fn a_tier_that_is_not_there_is_away_and_not_empty() {
    let (directory, tier) = tier();
    tier.create("v1/a", Body::from(vec![1])).await.unwrap();
    let (away, root) = (directory.path().join("away"), tier.root().to_owned());
    fs::rename(&root, &away).unwrap();
    for mounted_on in [false, true] {
        if mounted_on {
            fs::create_dir(&root).unwrap();
        }
        let restarted = DirTier::existing("local", &root);
        for tier in [&tier, &restarted] {
            for error in [
                tier.create("v1/b", Body::default()).await.unwrap_err(),
                tier.read("v1/a", 0..1).await.unwrap_err(),
                tier.head("v1/a").await.unwrap_err(),
                tier.list("", None).await.unwrap_err(),
                tier.delete("v1/a").await.unwrap_err(),
                DirProbe::new(tier.clone(), Names::default(), directory.path()).probe().await.unwrap_err(),
            ] {
                assert_eq!(error.kind, TierErrorKind::Unavailable, "{error}");
                let expected = format!("there is no tier at {}, which would have a directory .new", root.display());
                assert!(error.message.starts_with(&expected), "{error}");
            }
        }
        assert_eq!(root.exists(), mounted_on);
    }
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "nothing was made where another file system will be");
    fs::remove_dir(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    assert_eq!(tier.read("v1/a", 0..1).await.unwrap().as_ref(), [1]);
    assert_eq!(tier.create("v1/b", Body::default()).await, Ok(Created::New));
}

#[test]
fn a_directory_that_cannot_be_made_is_said_to_be() {
    let (directory, tier) = tier();
    let error = DirTier::open("local", &directory.path().join("no/such/place")).unwrap_err();
    assert_eq!((error.kind, error.operation), (TierErrorKind::Misconfigured, "open"));
    assert!(error.message.ends_with("make the directory above it, or mount its file system"), "{error}");
    let file = tier.root().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(DirTier::open("local", &file).unwrap_err().kind, TierErrorKind::Misconfigured);
}

#[tokio::test]
async fn the_probe_leaves_nothing_and_says_where_the_tier_is() {
    let (directory, tier) = tier();
    let names = Names::new("site").unwrap();
    let near = DirProbe::new(tier.clone(), names.clone(), directory.path()).probe().await.unwrap();
    assert!(!near.read_back && near.notes.len() == 1, "{near:?}");
    let far = DirProbe::new(tier.clone(), names, Path::new("/proc")).probe().await.unwrap();
    assert_eq!(far, Capability::default());
    assert_eq!(tier.list("", None).await, Ok(Listing::default()));
    assert_eq!(left_in_new(&tier), 0);
    assert!(tier.root().join("site/v1/probe").is_dir(), "it was tried below the prefix");
}

#[test]
fn what_the_file_system_says_has_a_kind() {
    use rustix::io::Errno;
    let cases = [
        (Errno::NOSPC, TierErrorKind::NoSpace, "enlarge the file system or the quota, or delete from it"),
        (Errno::DQUOT, TierErrorKind::NoSpace, "enlarge the file system or the quota, or delete from it"),
        (Errno::IO, TierErrorKind::Unavailable, "look for errors of the disk or the network in the kernel's log"),
        (Errno::STALE, TierErrorKind::Unavailable, "look for errors of the disk or the network in the kernel's log"),
        (Errno::TIMEDOUT, TierErrorKind::Unavailable, "look for errors of the disk or the network in the kernel's log"),
        (Errno::ACCESS, TierErrorKind::Denied, "let the daemon's user read and write there"),
        (Errno::PERM, TierErrorKind::Denied, "let the daemon's user read and write there"),
        (Errno::ROFS, TierErrorKind::Denied, "look for errors of the disk in the kernel's log"),
        (Errno::NOTDIR, TierErrorKind::Misconfigured, "use another directory or file system"),
        (Errno::NAMETOOLONG, TierErrorKind::Misconfigured, "use another directory or file system"),
        (Errno::FBIG, TierErrorKind::Misconfigured, "has no room for such a file"),
    ];
    for (errno, kind, next) in cases {
        let error = failure("create", "v1/a", Path::new("t/v1/a"), &errno.into());
        assert_eq!((error.kind, error.retry_after), (kind, None), "{error}");
        assert!(error.to_string().starts_with("cannot create v1/a: t/v1/a: "), "{error}");
        assert!(error.message.ends_with(next), "{error}");
    }
}

#[tokio::test]
async fn only_the_owner_may_read_it_and_it_says_where_it_is() {
    let (directory, tier) = tier();
    tier.create("v1/a/b", Body::from(Bytes::from_static(b"secret"))).await.unwrap();
    for (path, mode) in [("", 0o700), ("v1", 0o700), ("v1/a", 0o700), ("v1/a/b", 0o600), (".new", 0o700)] {
        let found = fs::metadata(tier.root().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}");
    }
    assert_eq!(tier.shares_file_system(directory.path()), Ok(SharedWith::FileSystem));
    assert_eq!(tier.shares_file_system(Path::new("/proc")), Ok(SharedWith::Nothing));
    assert!(tier.head("v1/a/b").await.unwrap().last_modified.is_some());
    assert_eq!(tier.head("v1/a").await.unwrap_err().kind, TierErrorKind::NotFound, "a directory is no object");
    assert_eq!(tier.read("v1/a", 0..1).await.unwrap_err().kind, TierErrorKind::NotFound);
}

/// What stands in for a link where the file system has none: it has to refuse as that does.
#[test]
fn a_rename_does_not_replace() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second, to] = ["first", "second", "to"].map(|name| directory.path().join(name));
    fs::write(&first, b"1").unwrap();
    fs::write(&second, b"2").unwrap();
    files::rename_once(&first, &to).unwrap();
    assert_eq!(files::rename_once(&second, &to).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!((fs::read(&to).unwrap(), fs::read(&second).unwrap()), (b"1".to_vec(), b"2".to_vec()));
    assert!(!first.exists());
}
