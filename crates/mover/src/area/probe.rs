//! Trying an area.

use std::io::{self, ErrorKind};
use std::path::Path;

use capstan_disk::{Disk, Mode, is_no_space, read_up_to};
use capstan_format::wide;

use crate::claims::write_new;

/// Bytes that are written.
const LENGTH: usize = 4096;

/// The file. It is there for a moment only; one that a crash leaves is replaced.
const NAME: &str = "probe";

/// Why an area cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    /// For a person.
    pub(super) text: String,
    /// It is full: what is there can be read and removed all the same.
    pub(super) is_full: bool,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { is_full: is_no_space(&error), text: error.to_string() }
    }
}

/// Writes a small file, synchronises it, reads it back from the disk and removes it. Blocks, and may do so for ever.
/// `stamp` is another number each time.
pub(super) fn probe(disk: &dyn Disk, root: &Path, stamp: u64) -> Result<(), Failure> {
    let path = root.join(NAME);
    let bytes: Vec<u8> = stamp.to_le_bytes().into_iter().cycle().take(LENGTH).collect();
    write_new(disk, &path, &bytes)?;
    let file = disk.open(&path, Mode::Read)?;
    file.forget_cache()?;
    if read_up_to(file.as_ref(), 0, wide(LENGTH))? != bytes {
        return Err(io::Error::new(ErrorKind::InvalidData, "what was written is not what is read").into());
    }
    disk.remove_file(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use capstan_disk::RealDisk;

    use super::*;

    #[test]
    fn an_area_is_tried_and_left_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(NAME), "left by a crash").unwrap();
        for stamp in [1, 2] {
            assert_eq!(probe(&RealDisk, root.path(), stamp), Ok(()));
            assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        }
        std::fs::write(root.path().join("file"), "").unwrap();
        let failure = probe(&RealDisk, &root.path().join("file"), 1).unwrap_err();
        assert_eq!((failure.text.as_str(), failure.is_full), ("Not a directory (os error 20)", false));
        assert!(Failure::from(io::Error::from_raw_os_error(28)).is_full);
    }
}
