//! Secrets: in files of their own, which only the daemon's user can read, and never in a message.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use capstan_iscsi::chap::Secret;

use super::Mistake;

/// Shortest secret, bytes. [RFC 7143 9.2.1] wants 96 bits where IPsec does not protect the connection.
const SHORTEST: usize = 12;
/// Longest secret, bytes: what open-iscsi takes.
const LONGEST: usize = 255;

/// Opens a file with a secret, if only its owner has a way to it.
pub(super) fn open(file: &Path) -> Result<File, Mistake> {
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    let metadata = opened.metadata().map_err(|error| unreadable(file, &error))?;
    if !metadata.is_file() {
        return Err(wrong(file, "is not a file", "a file with the secret"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let what = format!("has mode {mode:04o}: others than its owner have a way to the secret");
        let allowed = format!("mode 0600 or 0400: `chmod 600 {}`", file.display());
        return Err(Mistake { refused: true, ..wrong(file, &what, &allowed) });
    }
    Ok(opened)
}

fn wrong(file: &Path, what: &str, allowed: &str) -> Mistake {
    Mistake::new(format!("{} {what}", file.display()), allowed)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Mistake {
    let what = format!("cannot be read: {error}");
    wrong(file, &what, "a file with the secret, which the daemon's user can read")
}

/// Reads a CHAP secret; the mistake names the file, not what is in it.
pub(super) fn read(file: &Path) -> Result<Secret, Mistake> {
    let opened = open(file)?;
    let wrong = |what: &str, allowed: &str| wrong(file, what, allowed);
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST.saturating_add(2)).unwrap_or(u64::MAX);
    opened.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let allowed = format!("one line of {SHORTEST} to {LONGEST} bytes, a line end behind it does not count");
    match bytes.len() {
        0 => Err(wrong("is empty", &allowed)),
        _ if bytes.iter().any(|byte| [b'\n', b'\r', 0].contains(byte)) => {
            Err(wrong("has a line end or a zero inside the secret", &allowed))
        }
        length if length < SHORTEST => Err(wrong(&format!("has a secret of {length} bytes"), &allowed)),
        length if length > LONGEST => Err(wrong(&format!("has a secret of more than {LONGEST} bytes"), &allowed)),
        _ => Ok(Secret::new(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    fn read_of(bytes: &[u8], mode: u32) -> Result<Secret, Mistake> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("s");
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        read(&file)
    }

    #[test]
    fn a_secret_is_its_line() {
        for bytes in [&b"twelve bytes"[..], &[b'x'; 255]] {
            assert_eq!(read_of(bytes, 0o600), Ok(Secret::new(bytes)));
            assert_eq!(read_of(&[bytes, b"\n"].concat(), 0o400), Ok(Secret::new(bytes)));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_shown() {
        for (bytes, mode, what) in [
            (&b"twelve bytes"[..], 0o640, "has mode 0640"),
            (b"twelve bytes", 0o604, "has mode 0604"),
            (b"twelve bytes", 0o610, "has mode 0610"),
            (b"", 0o600, "is empty"),
            (b"\n", 0o600, "is empty"),
            (b"eleven byte", 0o600, "has a secret of 11 bytes"),
            (b"eleven byte\n", 0o600, "has a secret of 11 bytes"),
            (&[b'x'; 256], 0o600, "more than 255 bytes"),
            (&[b'x'; 9000], 0o600, "more than 255 bytes"),
            (b"twelve\nbytes", 0o600, "has a line end"),
            (b"twelve bytes\r\n", 0o600, "has a line end"),
            (b"twelve bytes\n\n", 0o600, "has a line end"),
        ] {
            let mistake = read_of(bytes, mode).unwrap_err();
            assert!(mistake.what.contains(what), "{what}: {}", mistake.what);
            assert_eq!(mistake.refused, mode != 0o600);
            assert!(!format!("{mistake:?}").contains("twelve"), "{mistake:?}");
        }
    }
}
