//! The directory of the demo, gone when the demo is over.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A directory of its own; removed when it is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it below the directory for temporary files.
    pub(super) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("capstan-demo-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the daemon keeps everything.
    pub(super) fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Where the daemon says what happens.
    pub(super) fn log(&self) -> Result<File> {
        let file = self.0.join("daemon.log");
        OpenOptions::new().create(true).append(true).open(&file).with_context(|| file.display().to_string())
    }

    /// The end of what the daemon said, for when something went wrong.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read_to_string(self.0.join("daemon.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default();
        if end.is_empty() {
            "the daemon's log is empty".into()
        } else {
            format!("the daemon's log ends:\n{}", end.join("\n"))
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
