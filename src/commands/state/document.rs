//! The file that a library is carried in: JSON with a version, and a hash of what it says.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use capstan_api::LibraryState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// What the file says it is.
const FORMAT: &str = "capstan state";

/// The newest version that this release knows.
const VERSION: u64 = 1;

/// More than any such file has.
const LIMIT: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Document {
    format: String,
    version: u64,
    /// BLAKE3 of the content as JSON without blanks, its keys in the order of their bytes.
    blake3: String,
    content: Value,
}

fn hash(content: &Value) -> String {
    blake3::hash(content.to_string().as_bytes()).to_hex().to_string()
}

/// Writes it under another name first: a file with its name is whole.
///
/// # Errors
/// Something is there and may not be replaced, or the disk failed.
pub(super) fn write(file: &Path, state: &LibraryState, replace: bool) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() && !replace {
        return Err(Failure::new(Exit::Refused, format!("{} exists already", file.display()))
            .next("choose another name, or give --yes to replace it"));
    }
    let content = serde_json::to_value(state).unwrap_or_default();
    let document = Document { format: FORMAT.to_owned(), version: VERSION, blake3: hash(&content), content };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    put(&part, file, text.as_bytes()).map_err(|error| {
        let _ = fs::remove_file(&part);
        Failure::failed(format!("{} cannot be written", file.display())).why(error.to_string())
    })
}

fn put(part: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(part)?;
    new.write_all(bytes)?;
    new.sync_all()?;
    fs::rename(part, file)?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Reads one, and proves it.
///
/// # Errors
/// It cannot be read, is something else, is damaged, or was written by a newer release.
pub(super) fn read(file: &Path) -> Result<LibraryState, Failure> {
    let cannot = |why: String| Failure::failed(format!("{} cannot be read", file.display())).why(why);
    let length = fs::metadata(file).map_err(|error| cannot(error.to_string()))?.len();
    if length > LIMIT {
        return Err(cannot(format!("it has {length} bytes, and no exported state has more than {LIMIT}")));
    }
    let bytes = fs::read(file).map_err(|error| cannot(error.to_string()))?;
    parse(&bytes).map_err(|wrong| match wrong {
        Wrong::Newer(version) => {
            Failure::new(Exit::Refused, format!("{} was written by a newer release", file.display()))
                .why(format!("its version is {version}, and this release reads up to {VERSION}"))
                .next("import it with a release at least as new")
        }
        Wrong::Damaged(what) => Failure::failed(format!("{} is no exported state, or damaged", file.display()))
            .why(what)
            .next("export it again, or take another copy"),
    })
}

#[derive(PartialEq, Eq, Debug)]
enum Wrong {
    Newer(u64),
    Damaged(String),
}

fn parse(bytes: &[u8]) -> Result<LibraryState, Wrong> {
    let damaged = |error: serde_json::Error| Wrong::Damaged(error.to_string());
    let value: Value = serde_json::from_slice(bytes).map_err(damaged)?;
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(Wrong::Damaged(format!("it does not say that it is {FORMAT:?}")));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version > VERSION => return Err(Wrong::Newer(version)),
        Some(VERSION) => {}
        _ => return Err(Wrong::Damaged("it has no version".to_owned())),
    }
    let document: Document = serde_json::from_value(value).map_err(damaged)?;
    if hash(&document.content) != document.blake3 {
        return Err(Wrong::Damaged("what it says is not what its hash is of".to_owned()));
    }
    serde_json::from_value(document.content).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use capstan_api::Configuration;

    use super::*;

    fn state() -> LibraryState {
        LibraryState {
            gateway: "gw".to_owned(),
            library: "3f0f3c7e-6c1e-4f0e-9a51-0b6f1f6c8f11".to_owned(),
            change: 7,
            image: "00ff".to_owned(),
            claims: Vec::new(),
            configuration: Configuration { text: "[gateway]\n".to_owned(), ..Configuration::default() },
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_every_changed_byte_shows() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state.json");
        write(&file, &state(), false).unwrap();
        assert_eq!(read(&file).unwrap(), state());
        assert_eq!(write(&file, &state(), false).unwrap_err().exit, Exit::Refused);
        write(&file, &state(), true).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let good = fs::read(&file).unwrap();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            // A blank that became another one is none.
            assert!(parse(&bytes).is_err() || bytes[at].is_ascii_whitespace(), "byte {at}");
            // The last line end says nothing.
            assert!(parse(&good[..at]).is_err() || at + 1 == good.len(), "{at} bytes");
        }
        let newer = String::from_utf8(good).unwrap().replace("\"version\": 1", "\"version\": 2");
        assert_eq!(parse(newer.as_bytes()), Err(Wrong::Newer(2)));
        fs::write(&file, newer).unwrap();
        let failure = read(&file).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.to_string().contains("its version is 2, and this release reads up to 1"), "{failure}");
    }
}
