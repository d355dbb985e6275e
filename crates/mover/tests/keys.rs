//! The user's key: changed, looked after, and another one than it was.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod rig;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use capstan_format::object::WrappedKey;
use capstan_media::{MediumOp, SpaceTarget};
use capstan_mover::{Answer, KeyCount, KeyReport, MoverError, NoticeKind};
use capstan_tier::WrappingKey;
use capstan_tier::names::Names;
use rig::{ID, Rig, Running};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];
const NONE: Vec<String> = Vec::new();

fn wait_for<T>(answer: Answer<'_, T>) -> Result<T, MoverError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(answer)
}

fn id(key: [u8; 32]) -> String {
    WrappingKey::new(key).id().to_string()
}

fn encrypted(key: [u8; 32]) -> Rig {
    let mut rig = Rig::new();
    rig.wrapping_key = Some(WrappingKey::new(key));
    rig
}

fn key_file(rig: &Rig, key: [u8; 32]) -> PathBuf {
    let path = rig.root.path().join(format!("key-{}", key[0]));
    fs::write(&path, key).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// The objects of wrapped keys: number, and what they are wrapped with.
fn in_tier(rig: &Rig) -> Vec<(u32, String)> {
    let prefix = Names::default().wrapped_keys(&rig.tape());
    let objects = rig.tier.objects().into_iter().filter(|(key, _)| key.starts_with(&prefix));
    let keys = objects.map(|(_, bytes)| WrappedKey::decode(&bytes).unwrap());
    keys.map(|key| (key.number, key.wrapping_key.to_string())).collect()
}

fn here(running: &Running) -> Vec<(u32, String)> {
    let bytes = running.store.look_at(ID).unwrap().read_key().unwrap().unwrap_or_default();
    let keys = bytes.chunks(128).map(|bytes| WrappedKey::decode(bytes).unwrap());
    keys.map(|key| (key.number, key.wrapping_key.to_string())).collect()
}

/// A tape of 50 blocks, all of it in the tier.
fn shipped(rig: &Rig) -> Running {
    let running = rig.start_loaded();
    running.write(0..50);
    running.unload();
    running.shipped_to(51);
    running
}

/// The tape is read from the tier alone.
fn is_read_back(rig: &Rig) -> Running {
    fs::remove_dir_all(rig.cache_path()).unwrap();
    let running = rig.start();
    assert_eq!(running.store.look_at(ID).unwrap().segments().unwrap(), Vec::<u64>::new());
    running.load();
    running.expect(0..50);
    running.unload();
    running
}

fn rotate(running: &Running, file: &Path) -> KeyReport {
    wait_for(running.operations.rotate_keys(file.to_owned())).unwrap()
}

fn verify(running: &Running, file: Option<PathBuf>) -> KeyReport {
    wait_for(running.operations.verify_keys(file)).unwrap()
}

fn report(key: [u8; 32], changed: u64) -> KeyReport {
    KeyReport { wrapping_key: id(key), encrypted: 1, changed, ..KeyReport::default() }
}

#[test]
fn the_key_is_changed_and_every_tape_read_with_the_new_one() {
    let mut rig = encrypted(OLD);
    let running = shipped(&rig);
    let new = key_file(&rig, NEW);
    assert_eq!(rotate(&running, &new), report(NEW, 1));
    let both = vec![(1, id(OLD)), (2, id(NEW))];
    assert_eq!((here(&running), in_tier(&rig)), (both.clone(), both.clone()));
    assert_eq!(rotate(&running, &new), report(NEW, 0), "nothing is left to do");
    assert_eq!((verify(&running, None), verify(&running, Some(new))), (report(OLD, 0), report(NEW, 0)));
    let keys = running.operations.keys().unwrap();
    assert_eq!((keys.wrapping_key, keys.next_key, keys.unencrypted), (Some(id(OLD)), Some(id(NEW)), 0));
    let mut counts = [OLD, NEW].map(|key| KeyCount { wrapping_key: id(key), cartridges: 1 });
    counts.sort_by(|a, b| a.wrapping_key.cmp(&b.wrapping_key));
    assert_eq!(keys.wrapped, counts);
    let notes = running.operations.tiers()[0].notes.join("\n");
    assert!(notes.contains(&format!("wrapped with key {} as well: put its file into encrypt_key_file", id(NEW))));
    running.stop();

    // Not configured yet, and then it is.
    is_read_back(&rig).stop();
    rig.wrapping_key = Some(WrappingKey::new(NEW));
    let running = is_read_back(&rig);
    assert_eq!(verify(&running, None), report(NEW, 0));
    assert_eq!(wait_for(running.operations.remove_old_keys()).unwrap(), report(NEW, 1));
    assert_eq!((here(&running), in_tier(&rig)), (both[1..].to_vec(), both[1..].to_vec()));
    assert_eq!(wait_for(running.operations.remove_old_keys()).unwrap(), report(NEW, 0));
    running.stop();
    is_read_back(&rig).stop();
    assert_eq!(rig.told(NoticeKind::NotShipped), NONE);
}

#[test]
fn a_change_of_the_key_that_was_killed_goes_on() {
    let rig = encrypted(OLD);
    let running = shipped(&rig);
    let new = key_file(&rig, NEW);
    rotate(&running, &new);
    let written = rig.tier.objects();
    // The next start would find it by itself as soon as it ships.
    running.operations.pause("memory").unwrap();
    running.stop();
    // Killed when the new one lay beside the segments, and not in the tier yet.
    let name = Names::default().wrapped_key(&rig.tape(), 2);
    rig.tier.put(&name, None);
    let running = rig.start();
    let found = verify(&running, Some(new.clone()));
    assert_eq!(found.problems.len(), 1);
    let what = format!(
        "in the tier: its key cannot be used: it needs wrapping key {}, and the key file has key {}",
        id(OLD),
        id(NEW)
    );
    assert_eq!((found.problems[0].barcode.clone(), &found.problems[0].what), (Some(rig.tape().barcode), &what));
    assert_eq!(rotate(&running, &new), report(NEW, 1));
    assert_eq!(rig.tier.objects(), written, "with the same bytes");
    rig.tier.put(&name, None);
    running.operations.resume("memory").unwrap();
    running.stop();
    let running = rig.start();
    running.until("sent by a start", || rig.tier.objects() == written);
    running.stop();
}

#[test]
fn what_is_made_while_the_key_is_changed_opens_with_both() {
    let rig = encrypted(OLD);
    let running = rig.start();
    let new = key_file(&rig, NEW);
    assert_eq!(rotate(&running, &new), KeyReport { encrypted: 0, ..report(NEW, 0) });
    running.create();
    running.load();
    running.write(0..50);
    running.shipped_to(51);
    assert_eq!(in_tier(&rig), [(1, id(OLD)), (2, id(NEW))]);
    assert_eq!((verify(&running, None), verify(&running, Some(new))), (report(OLD, 0), report(NEW, 0)));
    running.stop();
}

/// Nothing that belongs to an encrypted cartridge leaves without its key.
#[test]
fn with_another_key_or_without_one_nothing_of_an_encrypted_cartridge_is_shipped() {
    let mut rig = encrypted(OLD);
    shipped(&rig).stop();
    let before = rig.tier.objects();
    for key in [Some(NEW), None] {
        rig.notices.lock().unwrap().clear();
        rig.wrapping_key = key.map(WrappingKey::new);
        let running = rig.start();
        let told = match key {
            Some(key) => format!("with key {} of the configured file", id(key)),
            None => "without a key file".to_owned(),
        };
        let told = format!(
            "encrypted cartridges that cannot be opened {told}, so that nothing of them is shipped or recalled: CAP001L8"
        );
        running.until("told", || rig.told(NoticeKind::NotShipped).contains(&told));
        assert!(running.operations.tiers()[0].notes.contains(&told));
        running.load();
        running.perform(MediumOp::Space(SpaceTarget::EndOfData));
        running.write(50..60);
        running.until("refused", || {
            rig.told(NoticeKind::NotShipped).iter().any(|text| text.contains("its key cannot be used"))
        });
        assert_eq!(running.operations.tape(ID).unwrap().tier_to, 0);
        running.stop();
        assert_eq!(rig.tier.objects(), before);
    }
    rig.wrapping_key = Some(WrappingKey::new(OLD));
    let running = rig.start();
    running.load();
    running.shipped_to(73);
    running.stop();
}

#[test]
fn a_backup_of_the_key_is_asked_for_until_it_was_shown() {
    let mut rig = encrypted(OLD);
    let running = rig.start();
    let asks =
        |running: &Running| running.operations.tiers()[0].notes.iter().any(|note| note.contains("--confirm-backup"));
    assert!(asks(&running));
    let refused = running.operations.confirm_key_backup(&id(NEW)).unwrap_err();
    assert_eq!(refused.to_string(), format!("that is key {}, and the key in use is {}", id(NEW), id(OLD)));
    assert!(asks(&running) && !running.operations.keys().unwrap().backup_confirmed);
    assert!(running.operations.confirm_key_backup(&id(OLD)).unwrap().backup_confirmed);
    assert!(!asks(&running));
    running.stop();
    let running = rig.start();
    assert!(!asks(&running), "it is remembered");
    running.stop();
    rig.wrapping_key = Some(WrappingKey::new(NEW));
    let running = rig.start();
    assert!(asks(&running), "of another key nobody has shown one");
    running.stop();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut rig = encrypted(OLD);
    let running = rig.start();
    let refused = |file| wait_for(running.operations.rotate_keys(file)).unwrap_err().to_string();
    assert_eq!(refused(key_file(&rig, OLD)), format!("the file has key {}, which is the one in use", id(OLD)));
    assert!(refused(rig.root.path().join("no")).contains("No such file"));
    running.stop();
    rig.wrapping_key = None;
    let running = rig.start();
    let unencrypted = "no key file is configured: what is shipped is not encrypted";
    assert_eq!(wait_for(running.operations.verify_keys(None)).unwrap_err().to_string(), unencrypted);
    assert_eq!(wait_for(running.operations.rotate_keys(key_file(&rig, NEW))).unwrap_err().to_string(), unencrypted);
    assert_eq!(running.operations.confirm_key_backup(&id(OLD)).unwrap_err().to_string(), unencrypted);
    running.create();
    let keys = running.operations.keys().unwrap();
    assert_eq!((keys.wrapping_key, keys.unencrypted, keys.wrapped), (None, 1, vec![]));
    running.stop();
}
