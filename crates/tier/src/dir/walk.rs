//! Listing files in the order of keys.
//!
//! Keys are ordered by their bytes, and `/` is greater than `$ + - .`: so a directory stands among its neighbours
//! where its name with a slash does, and a walk in that order meets keys in theirs.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::failure;
use crate::names::is_part;
use crate::{Listed, Listing, PAGE, TierError};

/// What a walk looks for, and what it has found.
struct Walk<'a> {
    root: &'a Path,
    prefix: &'a str,
    after: &'a str,
    found: Vec<Listed>,
}

pub(super) fn page(root: &Path, prefix: &str, after: Option<&str>) -> Result<Listing, TierError> {
    let mut walk = Walk { root, prefix, after: after.unwrap_or_default(), found: Vec::new() };
    walk.directory("").map_err(|error| failure("list", prefix, root, &error))?;
    let mut objects = walk.found;
    let more = objects.len() > PAGE;
    objects.truncate(PAGE);
    let next = if more { objects.last().map(|last| last.key.clone()) } else { None };
    Ok(Listing { objects, next })
}

impl Walk<'_> {
    /// Looks at the directory whose keys begin with `begin`. One more than a page is enough to know that there is more.
    fn directory(&mut self, begin: &str) -> io::Result<()> {
        for name in self.names(begin)? {
            if self.found.len() > PAGE {
                break;
            }
            let key = format!("{begin}{name}");
            if key.ends_with('/') {
                self.directory(&key)?;
            } else if key.starts_with(self.prefix) && key.as_str() > self.after {
                self.file(key)?;
            }
        }
        Ok(())
    }

    /// Names in a directory that may lead to keys, in order; those of directories with a slash.
    fn names(&self, begin: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.root.join(begin)) {
            // A directory can be removed by somebody else meanwhile; the root cannot.
            Err(error) if error.kind() == ErrorKind::NotFound && !begin.is_empty() => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(mut name) = entry.file_name().into_string() else { continue };
            if !is_part(&name) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                name.push('/');
            }
            if self.may_lead_on(&format!("{begin}{name}")) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn may_lead_on(&self, key: &str) -> bool {
        let within = key.starts_with(self.prefix) || (key.ends_with('/') && self.prefix.starts_with(key));
        within && (key > self.after || self.after.starts_with(key))
    }

    fn file(&mut self, key: String) -> io::Result<()> {
        match fs::metadata(self.root.join(&key)) {
            Ok(state) if state.is_file() => self.found.push(Listed { key, length: state.len() }),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
