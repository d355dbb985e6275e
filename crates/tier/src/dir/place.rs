//! Whether two paths lie on one disk.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::failure;
use crate::TierError;

/// What a path has in common with a tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SharedWith {
    /// Another file system. Both may be on one disk all the same.
    Nothing,
    /// The file system: what is lost with it is lost in both.
    FileSystem,
}

pub(super) fn compare(root: &Path, path: &Path) -> Result<SharedWith, TierError> {
    let device = |path: &Path| -> io::Result<u64> { Ok(std::fs::metadata(path)?.dev()) };
    let ours = device(root).map_err(|error| failure("head", "", root, &error))?;
    let theirs = device(path).map_err(|error| failure("head", "", path, &error))?;
    Ok(if ours == theirs { SharedWith::FileSystem } else { SharedWith::Nothing })
}
