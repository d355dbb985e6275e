//! The index of a directory of tape files: which blocks the files are made of, and where filemarks are.
//!
//! Text, a line for each thing that follows: first what it is, the last one `end`, so that one that was cut off shows.
//! Between them `file NAME` begins a file with the blocks of one tape file, `blocks COUNT LENGTH` says that so many
//! blocks of so many bytes follow in it, `unreadable COUNT` that so many of the tape could not be read and are not
//! in it, and `filemarks COUNT` that the tape file ends, with so many filemarks.

use std::fmt;

/// Name of the index in its directory.
pub const NAME: &str = "index.txt";

/// The first line.
const FIRST: &str = "capstan tape files 1";

/// Longer than any line.
pub const LINE_LIMIT: usize = 128;

/// A line of an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// The first.
    Begin,
    /// The blocks that follow are in the file with this number, which is that of filemarks before it.
    File(u64),
    /// Blocks of one length.
    Blocks {
        /// How many.
        count: u64,
        /// Bytes in each.
        length: u32,
    },
    /// Blocks that could not be read.
    Unreadable(u64),
    /// Filemarks.
    Filemarks(u64),
    /// The last.
    End,
}

/// Name of a tape file in the directory.
#[must_use]
pub fn file_name(number: u64) -> String {
    format!("{number:06}.raw")
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str(FIRST),
            Self::File(number) => write!(f, "file {}", file_name(*number)),
            Self::Blocks { count, length } => write!(f, "blocks {count} {length}"),
            Self::Unreadable(count) => write!(f, "unreadable {count}"),
            Self::Filemarks(count) => write!(f, "filemarks {count}"),
            Self::End => f.write_str("end"),
        }
    }
}

impl Line {
    /// Reads a line; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == FIRST {
            return Some(Self::Begin);
        }
        let mut words = text.split(' ');
        let line = match (words.next()?, words.next()) {
            ("file", Some(name)) => {
                let number = name.strip_suffix(".raw")?.parse().ok()?;
                if file_name(number) != name {
                    return None;
                }
                Self::File(number)
            }
            ("blocks", Some(count)) => Self::Blocks { count: positive(count)?, length: words.next()?.parse().ok()? },
            ("unreadable", Some(count)) => Self::Unreadable(positive(count)?),
            ("filemarks", Some(count)) => Self::Filemarks(positive(count)?),
            ("end", None) => Self::End,
            _ => return None,
        };
        words.next().is_none().then_some(line)
    }
}

fn positive(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_what_they_say() {
        let lines = [
            (Line::Begin, "capstan tape files 1"),
            (Line::File(3), "file 000003.raw"),
            (Line::Blocks { count: 64, length: 65_536 }, "blocks 64 65536"),
            (Line::Unreadable(2), "unreadable 2"),
            (Line::Filemarks(1), "filemarks 1"),
            (Line::End, "end"),
        ];
        for (line, text) in lines {
            assert_eq!((line.to_string().as_str(), Line::parse(text)), (text, Some(line)));
        }
        for wrong in
            ["", "file ../x.raw", "file 3.raw", "blocks 0 9", "blocks 1", "blocks 1 2 3", "end now", "filemarks -1"]
        {
            assert_eq!(Line::parse(wrong), None, "{wrong}");
        }
    }
}
