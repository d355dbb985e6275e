//! The file in which the user keeps a wrapping key.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::WrappingKey;

/// 64 digits and a newline, and one byte more by which a longer file is known.
const LONGEST: usize = 66;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the key file {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("the key file {} has mode {mode:04o}: others than its owner may use it; chmod 600 it", .path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error("the key file {} has to have 32 bytes, or 64 hexadecimal digits and a newline", .0.display())]
    Content(PathBuf),
}

impl WrappingKey {
    /// Reads a key file: 32 bytes as they are, or 64 hexadecimal digits, which a newline may follow. Blocks.
    ///
    /// # Errors
    /// It cannot be read, others may use it, or it holds something else.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Mode { path: path.to_owned(), mode });
        }
        // Of its full length from the beginning: a vector that grows leaves copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(LONGEST));
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut content).map_err(failed)?;
        parse(&content).ok_or_else(|| KeyFileError::Content(path.to_owned()))
    }
}

fn parse(content: &[u8]) -> Option<WrappingKey> {
    if let Ok(bytes) = content.try_into() {
        return Some(WrappingKey::new(bytes));
    }
    let digits: &[u8; 64] = content.strip_suffix(b"\n").unwrap_or(content).try_into().ok()?;
    let mut key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())?;
            *byte = (*byte << 4) | value;
        }
    }
    Some(WrappingKey::new(*key))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn both_forms_give_the_same_key_and_others_none() {
        let id = WrappingKey::new([0xab; 32]).id();
        for good in
            [vec![0xab; 32], "ab".repeat(32).into(), "AB".repeat(32).into(), format!("{}\n", "aB".repeat(32)).into()]
        {
            assert_eq!(parse(&good).map(|key| key.id()), Some(id), "{good:?}");
        }
        for bad in [vec![], vec![1; 31], vec![1; 33], "ab".repeat(33).into(), "xy".repeat(32).into(), vec![b'\n'; 65]] {
            assert!(parse(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_file_that_others_may_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, [7; 32]).unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let read = WrappingKey::from_file(&path);
            assert_eq!(read.is_ok(), good, "{mode:o}");
            if let Err(error) = read {
                let text = format!("has mode {mode:04o}: others than its owner may use it; chmod 600 it");
                assert!(error.to_string().ends_with(&text), "{error}");
            }
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [7; 100]).unwrap();
        assert!(matches!(WrappingKey::from_file(&path), Err(KeyFileError::Content(_))));
        assert!(matches!(
            WrappingKey::from_file(directory.path()),
            Err(KeyFileError::Io { .. } | KeyFileError::Mode { .. })
        ));
        assert!(matches!(WrappingKey::from_file(&directory.path().join("no")), Err(KeyFileError::Io { .. })));
    }
}
