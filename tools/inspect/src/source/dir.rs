//! A directory tier: the key of an object is the path of a file.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Listed, Source};
use crate::error::Error;

/// A directory.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    /// A directory that is there.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        match fs::metadata(root) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { root: root.to_owned() }),
            Ok(_) => Err(Error::Usage(format!("{} is not a directory", root.display()))),
            Err(error) => Err(Error::Source { place: root.display().to_string(), why: error.to_string() }),
        }
    }

    fn failure(&self, key: &str, error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::NotFound {
            return Error::NotFound { key: key.to_owned() };
        }
        Error::Source { place: self.root.join(key).display().to_string(), why: error.to_string() }
    }

    /// Names in a directory that are not the tier's own, and whether each is a directory. None if it is not there.
    fn names(&self, folder: &str) -> Result<Vec<(String, bool)>, Error> {
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failure(folder, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.failure(folder, &error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let metadata = fs::metadata(entry.path()).map_err(|error| self.failure(folder, &error))?;
            names.push((name, metadata.is_dir()));
        }
        names.sort();
        Ok(names)
    }
}

impl Source for Directory {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        let mut folders = vec![prefix.to_owned()];
        while let Some(folder) = folders.pop() {
            for (name, is_folder) in self.names(&folder)? {
                let key = format!("{folder}{name}");
                if is_folder {
                    folders.push(format!("{key}/"));
                } else {
                    found.push(Listed { length: self.length(&key)?, key });
                }
            }
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    fn folders(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.names(prefix)?.into_iter().filter_map(|(name, is_folder)| is_folder.then_some(name)).collect())
    }

    fn length(&self, key: &str) -> Result<u64, Error> {
        fs::metadata(self.root.join(key)).map(|metadata| metadata.len()).map_err(|error| self.failure(key, &error))
    }

    fn range(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        let read = || {
            let mut file = File::open(self.root.join(key))?;
            file.seek(SeekFrom::Start(offset))?;
            // Room for what is there, not for what somebody said.
            let there = file.metadata()?.len().saturating_sub(offset).min(length);
            let mut bytes = Vec::with_capacity(usize::try_from(there).unwrap_or(0));
            file.take(length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: io::Error| self.failure(key, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_dot_are_not_listed_and_ranges_end_with_the_file() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("v1/a/b")).unwrap();
        for (name, bytes) in [("v1/a/b/one", "one"), ("v1/a/two", "four"), ("v1/a/.tmp", "no")] {
            fs::write(root.path().join(name), bytes).unwrap();
        }
        let source = Directory::open(root.path()).unwrap();
        let listed = source.list("v1/").unwrap();
        assert_eq!(
            listed,
            [Listed { key: "v1/a/b/one".into(), length: 3 }, Listed { key: "v1/a/two".into(), length: 4 }]
        );
        assert_eq!(source.folders("v1/a/").unwrap(), ["b"]);
        assert!(source.list("v1/none/").unwrap().is_empty());
        assert_eq!(source.range("v1/a/two", 2, 100).unwrap(), b"ur");
        assert_eq!(source.range("v1/a/two", 200, 100).unwrap(), b"");
        assert!(matches!(source.range("v1/a/none", 0, 1), Err(Error::NotFound { .. })));
        assert!(matches!(source.whole("v1/a/two", 3), Err(Error::Damaged(_))));
        assert_eq!(source.whole("v1/a/two", 4).unwrap(), b"four");
    }
}
