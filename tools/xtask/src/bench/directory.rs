//! Where servers keep what they are sent: empty before each measurement, and after it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::process;

pub(super) struct Directory {
    pub(super) path: PathBuf,
}

/// What says that everything in a directory is ours.
const MARK: &str = "capstan-bench";

impl Directory {
    pub(super) fn new(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        let is_empty = fs::read_dir(path)?.next().is_none();
        let ours = is_empty || path.join(MARK).exists();
        ensure!(ours, "{} holds something else, and the benchmark would delete it: name another", path.display());
        fs::write(path.join(MARK), "")?;
        Ok(Self { path: path.canonicalize()? })
    }

    /// An empty directory of its own for a server.
    pub(super) fn fresh(&self) -> Result<PathBuf> {
        let inner = self.path.join("run");
        if inner.exists() {
            fs::remove_dir_all(&inner).with_context(|| inner.display().to_string())?;
        }
        fs::create_dir(&inner)?;
        Ok(inner)
    }

    /// Drops the data of all files from the page cache: what is read next comes from the disk.
    pub(super) fn forget(&self) -> Result<()> {
        process::output(&mut process::command(&["sync"]))?;
        let mut find = process::command(&["find"]);
        find.arg(&self.path).args([
            "-type",
            "f",
            "-exec",
            "dd",
            "if={}",
            "iflag=nocache",
            "count=0",
            "status=none",
            ";",
        ]);
        process::output(&mut find).map(drop)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_not_deleted() {
        let path = std::env::temp_dir().join(format!("capstan-bench-directory-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("letters"), "").unwrap();
        assert!(Directory::new(&path).is_err());
        fs::remove_file(path.join("letters")).unwrap();
        let directory = Directory::new(&path).unwrap();
        fs::write(directory.fresh().unwrap().join("a"), "").unwrap();
        assert_eq!(fs::read_dir(directory.fresh().unwrap()).unwrap().count(), 0);
        drop(directory);
        assert!(!path.exists());
    }
}
