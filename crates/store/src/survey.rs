//! Everything that lies in the directory of a cartridge, also what does not belong there.

use std::path::{Path, PathBuf};

use crate::error::Context;
use crate::{CartridgeDirectory, StoreError, names};

/// A file, or a directory that does not belong there, in the directory of a cartridge.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FoundFile {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes in it; 0 of a directory.
    pub length: u64,
    /// What it is by its name.
    pub kind: FileKind,
}

/// What a file is by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FileKind {
    /// `cartridge.meta`.
    Meta,
    /// `cartridge.meta.new`: a change that was interrupted.
    NewMeta,
    /// `shipped`.
    Shipped,
    /// `shipped.new`: a change that was interrupted.
    NewShipped,
    /// `key`, or a change of it that was interrupted.
    Key,
    /// `pinned`.
    Pinned,
    /// The mark that somebody else goes on with it.
    Fenced,
    /// A segment, where it is looked for.
    Segment(u64),
    /// The name of a segment in another directory than it is looked for in.
    Misplaced(u64),
    /// Nothing that this program makes.
    Foreign,
}

impl CartridgeDirectory {
    /// Everything in the directory, by path.
    ///
    /// # Errors
    /// The disk failed.
    pub fn files(&self) -> Result<Vec<FoundFile>, StoreError> {
        let mut found = Vec::new();
        for entry in self.disk().list(self.path()).context("list", self.path())? {
            let path = self.path().join(&entry.name);
            match (entry.is_directory, entry.name.as_str()) {
                (true, name) if names::is_segment_fan(name) => self.files_of_fan(&path, &mut found)?,
                (false, names::META) => found.push(self.found(path, FileKind::Meta)?),
                (false, names::META_NEW) => found.push(self.found(path, FileKind::NewMeta)?),
                (false, names::SHIPPED) => found.push(self.found(path, FileKind::Shipped)?),
                (false, names::KEY | names::KEY_NEW) => found.push(self.found(path, FileKind::Key)?),
                (false, names::FENCED) => found.push(self.found(path, FileKind::Fenced)?),
                (false, names::PINNED) => found.push(self.found(path, FileKind::Pinned)?),
                (false, names::SHIPPED_NEW) => found.push(self.found(path, FileKind::NewShipped)?),
                (false, _) => found.push(self.found(path, FileKind::Foreign)?),
                (true, _) => found.push(FoundFile { path, length: 0, kind: FileKind::Foreign }),
            }
        }
        found.sort();
        Ok(found)
    }

    fn files_of_fan(&self, fan: &Path, found: &mut Vec<FoundFile>) -> Result<(), StoreError> {
        for entry in self.disk().list(fan).context("list", fan)? {
            let path = fan.join(&entry.name);
            if entry.is_directory {
                found.push(FoundFile { path, length: 0, kind: FileKind::Foreign });
                continue;
            }
            let kind = match names::parse_segment(&entry.name) {
                Some(sequence) if self.segment_path(sequence) == path => FileKind::Segment(sequence),
                Some(sequence) => FileKind::Misplaced(sequence),
                None => FileKind::Foreign,
            };
            found.push(self.found(path, kind)?);
        }
        Ok(())
    }

    fn found(&self, path: PathBuf, kind: FileKind) -> Result<FoundFile, StoreError> {
        let length = self.disk().length(&path).context("ask the length of", &path)?;
        Ok(FoundFile { path, length, kind })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use capstan_disk::RealDisk;
    use capstan_media::CartridgeId;

    use super::*;
    use crate::Store;

    #[test]
    fn every_file_is_found_and_told_from_others() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path(), Arc::new(RealDisk)).unwrap();
        let id = CartridgeId([7; 16]);
        store.create(id, b"meta").unwrap();
        let mut claimed = store.claim(id).unwrap();
        for sequence in [1, 1001] {
            claimed.create_segment(sequence).unwrap();
        }
        let path = claimed.path().to_owned();
        for name in
            ["cartridge.meta.new", "notes", "shipped", "shipped.new", "000000/000001002.seg", "000000/000000001.seg~"]
        {
            fs::write(path.join(name), b"12").unwrap();
        }
        fs::create_dir(path.join("0")).unwrap();
        let seen = store.look_at(id).unwrap();
        let files = seen.files().unwrap();
        let short: Vec<_> = files
            .iter()
            .map(|file| (file.path.strip_prefix(&path).unwrap().to_str().unwrap(), file.length, file.kind))
            .collect();
        use FileKind::{Foreign, Meta, Misplaced, NewMeta, NewShipped, Segment, Shipped};
        let expected = [
            ("0", 0, Foreign),
            ("000000/000000001.seg", 0, Segment(1)),
            ("000000/000000001.seg~", 2, Foreign),
            ("000000/000001002.seg", 2, Misplaced(1002)),
            ("000001/000001001.seg", 0, Segment(1001)),
            ("cartridge.meta", 4, Meta),
            ("cartridge.meta.new", 2, NewMeta),
            ("notes", 2, Foreign),
            ("shipped", 2, Shipped),
            ("shipped.new", 2, NewShipped),
        ];
        assert_eq!(short, expected);
        drop(seen);
        assert!(matches!(store.claim(id), Err(StoreError::InUse(_))), "a look takes no claim away");
    }

    #[test]
    fn a_store_opened_as_it_is_keeps_what_is_in_limbo() {
        let root = tempfile::tempdir().unwrap();
        drop(Store::open(root.path(), Arc::new(RealDisk)).unwrap());
        let left = root.path().join("limbo/left");
        fs::create_dir(&left).unwrap();
        let store = Store::open_as_it_is(root.path(), Arc::new(RealDisk)).unwrap();
        assert!(matches!(Store::open(root.path(), Arc::new(RealDisk)), Err(StoreError::Locked(_))));
        assert!(left.exists());
        drop(store);
        assert!(Store::open_as_it_is(&root.path().join("none"), Arc::new(RealDisk)).is_err());
    }
}
