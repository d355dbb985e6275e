//! The arrays under a file system, as sysfs shows them: `/sys/dev/block/9:0` leads to the block device, `slaves/` of that
//! to those that it is made of, and a partition lies in the directory of its disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::array::{Array, percent};

/// The arrays under the block device of that number, topmost first. A file system that is on none has none.
pub(super) fn arrays_under(sysfs: &Path, (major, minor): (u32, u32)) -> Vec<Array> {
    let mut arrays = Vec::new();
    let mut seen = BTreeSet::new();
    let mut todo = vec![sysfs.join(format!("dev/block/{major}:{minor}"))];
    while let Some(device) = todo.pop() {
        let Ok(device) = fs::canonicalize(device) else { continue };
        if !seen.insert(device.clone()) {
            continue;
        }
        arrays.extend(array(&device));
        if device.join("partition").exists() {
            todo.extend(device.parent().map(Path::to_owned));
        }
        todo.extend(entries(&device.join("slaves")).into_iter().rev());
    }
    arrays
}

/// The array that a block device is, if it is one.
fn array(device: &Path) -> Option<Array> {
    let md = device.join("md");
    let value = |name: &str| fs::read_to_string(md.join(name)).ok().map(|text| text.trim().to_owned());
    let number = |name: &str| value(name).and_then(|text| leading_number(&text)).unwrap_or(0);
    Some(Array {
        name: device.file_name()?.to_string_lossy().into_owned(),
        state: value("array_state")?,
        disks: number("raid_disks"),
        missing: number("degraded"),
        action: value("sync_action").unwrap_or_default(),
        done: value("sync_completed").as_deref().and_then(percent),
    })
}

/// While an array is reshaped a number has the former one after it: `6 (5)`.
fn leading_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// What is in a directory, by name; nothing if it is not there.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree as the kernel shows it, of these devices.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(tree.0.path().join("dev/block")).unwrap();
            tree
        }

        /// A block device; `below` is another one of which it is a partition.
        fn device(&self, name: &str, number: &str, slaves: &[&str]) -> PathBuf {
            let path = self.0.path().join("devices/virtual/block").join(name);
            fs::create_dir_all(path.join("slaves")).unwrap();
            symlink(Path::new("../../devices/virtual/block").join(name), self.0.path().join("dev/block").join(number))
                .unwrap();
            for slave in slaves {
                let slave_name = slave.rsplit('/').next().unwrap();
                let to = self.0.path().join("devices/virtual/block").join(slave);
                symlink(to, path.join("slaves").join(slave_name)).unwrap();
            }
            path
        }

        fn md(&self, name: &str, number: &str, slaves: &[&str], values: &[(&str, &str)]) {
            let md = self.device(name, number, slaves).join("md");
            fs::create_dir_all(&md).unwrap();
            for (name, value) in values {
                fs::write(md.join(name), format!("{value}\n")).unwrap();
            }
        }
    }

    const DEGRADED: [(&str, &str); 5] = [
        ("array_state", "active"),
        ("raid_disks", "6"),
        ("degraded", "2"),
        ("sync_action", "recover"),
        ("sync_completed", "500 / 2000"),
    ];

    fn degraded(name: &str) -> Array {
        Array {
            name: name.to_owned(),
            state: "active".to_owned(),
            disks: 6,
            missing: 2,
            action: "recover".to_owned(),
            done: Some(25),
        }
    }

    #[test]
    fn an_array_is_found_under_whatever_lies_on_it() {
        let tree = Tree::new();
        tree.device("sda", "8:0", &[]);
        tree.md("md0", "9:0", &["sda"], &DEGRADED);
        tree.device("dm-0", "253:0", &["md0/md0p1"]);
        let partition = tree.device("md0/md0p1", "259:0", &[]);
        fs::write(partition.join("partition"), "1\n").unwrap();
        for number in [(9, 0), (259, 0), (253, 0)] {
            assert_eq!(arrays_under(tree.0.path(), number), [degraded("md0")], "{number:?}");
        }
        assert_eq!(arrays_under(tree.0.path(), (8, 0)), [], "a disk is no array");
        assert_eq!(arrays_under(tree.0.path(), (0, 42)), [], "a file system without a block device");
    }

    #[test]
    fn arrays_of_arrays_are_all_found_and_once() {
        let tree = Tree::new();
        let whole = [("array_state", "clean"), ("raid_disks", "6 (5)"), ("degraded", "0"), ("sync_action", "idle")];
        tree.md("md1", "9:1", &[], &whole);
        tree.md("md2", "9:2", &[], &DEGRADED);
        // RAID 0 has no redundancy, and says nothing of it.
        tree.md("md3", "9:3", &["md1", "md2"], &[("array_state", "clean"), ("raid_disks", "2")]);
        tree.device("dm-1", "253:1", &["md3", "md2"]);
        let found = arrays_under(tree.0.path(), (253, 1));
        let shown: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.disks, it.missing, it.done)).collect();
        assert_eq!(shown, [("md2", 6, 2, Some(25)), ("md3", 2, 0, None), ("md1", 6, 0, None)]);
        assert_eq!(found.iter().filter_map(Array::fault).collect::<Vec<_>>(), ["md2: 2 of 6 disks missing"]);
    }
}
