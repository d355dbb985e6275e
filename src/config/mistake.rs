//! What is wrong with a configuration file, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// Line, from 1; `None` where the mistake is not in the text of a file.
    pub(crate) line: Option<usize>,
    /// Column in characters, from 1.
    pub(crate) column: Option<usize>,
    /// What was given.
    pub(crate) what: String,
    /// What may stand there instead.
    pub(crate) allowed: String,
    /// The value could be taken, but is refused because it is not safe.
    #[serde(skip)]
    pub(crate) refused: bool,
}

/// Everything that is wrong with one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistakes {
    /// The file; `None` where only the command line was looked at.
    pub(crate) file: Option<PathBuf>,
    /// In the order of the file; at least one.
    pub(crate) list: Vec<Mistake>,
}

impl Mistake {
    /// A mistake of which only the place has to be added.
    pub(super) fn new(what: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { line: None, column: None, what: what.into(), allowed: allowed.into(), refused: false }
    }

    /// The same mistake, at a byte range of a text.
    pub(super) fn at(mut self, text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        self.line = Some(before.matches('\n').count().saturating_add(1));
        let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let column = before.get(line_start..).map_or(0, |line| line.chars().count());
        self.column = Some(column.saturating_add(1));
        self
    }
}

impl Mistakes {
    /// True where each mistake is a value refused because it is not safe.
    pub(crate) fn all_refused(&self) -> bool {
        self.list.iter().all(|mistake| mistake.refused)
    }

    /// `FILE:LINE:COLUMN: ` as far as it is known.
    fn place(&self, mistake: &Mistake) -> String {
        let Some(file) = &self.file else { return String::new() };
        match (mistake.line, mistake.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}: ", file.display()),
            _ => format!("{}: ", file.display()),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "error: {}{}", self.place(mistake), mistake.what)?;
            write!(f, "       allowed: {}", mistake.allowed)?;
        }
        Ok(())
    }
}

/// Mistakes that are not in the text: the file cannot be read.
pub(super) fn unreadable(file: &Path, what: impl Into<String>, allowed: &str) -> Mistakes {
    Mistakes { file: Some(file.to_owned()), list: vec![Mistake::new(what, allowed)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_column_count_characters_from_one() {
        let text = "a = 1\nµ = 2\n";
        let mistake = Mistake::new("x", "y").at(text, &(10..11));
        assert_eq!((mistake.line, mistake.column), (Some(2), Some(4)));
        let mistake = Mistake::new("x", "y").at(text, &(0..1));
        assert_eq!((mistake.line, mistake.column), (Some(1), Some(1)));
    }
}
