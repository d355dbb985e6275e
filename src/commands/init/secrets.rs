//! New CHAP secrets, and files that are never written over.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};

/// Characters of a secret: 64, none of which means anything to a shell. No zero, so that nobody takes one for a number
/// in hexadecimal.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789._+";

/// Length of a secret: 96 bits of randomness [RFC 7143 9.2.1], and what Microsoft's initiator takes at most.
const LENGTH: usize = 16;

/// A secret from the system's random numbers.
pub(super) fn secret() -> Result<String, Failure> {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::failed("no secret can be made").why(format!("no random numbers: {error}")))?;
    Ok(random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f))).map(|byte| char::from(*byte)).collect())
}

/// New files of one command: all of them, or none.
#[derive(Default)]
pub(super) struct NewFiles {
    files: Vec<(PathBuf, String, u32)>,
}

impl NewFiles {
    /// A file with its mode.
    pub(super) fn add(&mut self, file: PathBuf, text: String, mode: u32) {
        self.files.push((file, text, mode));
    }

    /// Writes them.
    ///
    /// # Errors
    /// One is there already, or cannot be written; then none of them has been left.
    pub(super) fn write(&self) -> Result<(), Failure> {
        for (index, (file, text, mode)) in self.files.iter().enumerate() {
            if let Err(failure) = write_new(file, text, *mode) {
                for (written, ..) in self.files.iter().take(index) {
                    let _ = fs::remove_file(written);
                }
                return Err(failure);
            }
        }
        Ok(())
    }
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let mut new = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Refused, format!("{} is there already", file.display()))
                .why("a configuration and its secrets are never overwritten")
                .next("name another directory, or move the file away")
        }
        _ => Failure::failed(format!("{} cannot be written", file.display())).why(error.to_string()),
    })?;
    new.write_all(text.as_bytes()).map_err(|error| {
        let _ = fs::remove_file(file);
        Failure::failed(format!("{} cannot be written", file.display())).why(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sixteen_characters_and_another_each_time() {
        let secrets: Vec<String> = (0..100).map(|_| secret().unwrap()).collect();
        for (index, secret) in secrets.iter().enumerate() {
            assert_eq!(secret.len(), LENGTH);
            assert!(secret.bytes().all(|byte| ALPHABET.contains(&byte)), "{secret}");
            assert!(!secrets[..index].contains(secret));
        }
        let mut distinct = ALPHABET.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 64);
    }

    #[test]
    fn all_files_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("b"), "old").unwrap();
        let mut files = NewFiles::default();
        files.add(path("a"), "new".into(), 0o600);
        files.add(path("b"), "new".into(), 0o600);
        assert_eq!(files.write().unwrap_err().exit, Exit::Refused);
        assert!(!path("a").exists());
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "old");
    }
}
