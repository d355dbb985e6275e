//! How reading fails.

use std::fmt;
use std::io;

use serde::Serialize;
use thiserror::Error;

/// Something in the tier is not what was written. Reading goes on behind it where that is possible.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Damage {
    /// The key of the object.
    pub key: String,
    /// Which frame of it, from 0, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<u64>,
    /// Where: in the object if no frame is named or the frame is bad, else in the segment that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl Damage {
    pub(crate) fn new(key: &str, what: impl fmt::Display) -> Self {
        Self { key: key.to_owned(), frame: None, offset: None, what: what.to_string() }
    }

    pub(crate) fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    pub(crate) fn frame(self, frame: u64) -> Self {
        Self { frame: Some(frame), ..self }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(frame) = self.frame {
            write!(f, ", frame {frame}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Why a command ended.
#[derive(Debug, Error)]
pub enum Error {
    /// It was not asked for rightly.
    #[error("{0}")]
    Usage(String),
    /// What was asked for is not there.
    #[error("{0}")]
    Absent(String),
    /// The source has no such object.
    #[error("{key} is not there")]
    NotFound {
        /// The object.
        key: String,
    },
    /// The source does not answer, or not rightly.
    #[error("{place} cannot be read: {why}")]
    Source {
        /// What was to be read.
        place: String,
        /// What went wrong.
        why: String,
    },
    /// What was needed is damaged.
    #[error("{0}")]
    Damaged(Damage),
    /// The data is encrypted, and none of the keys opens it.
    #[error("{0}")]
    KeyNeeded(String),
    /// The output takes no more.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl From<Damage> for Error {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl Error {
    /// What is missing is damage to what names it; what cannot be read now is not.
    pub(crate) fn into_damage(self) -> Result<Damage, Self> {
        match self {
            Self::Damaged(damage) => Ok(damage),
            Self::NotFound { key } => Ok(Damage::new(&key, "it is not there")),
            other => Err(other),
        }
    }
}

/// Damage as a value: what it was found instead of is not there, and reading goes on.
pub(crate) type Found<T> = Result<Result<T, Damage>, Error>;

/// Takes damage out of an error.
pub(crate) fn found<T>(result: Result<T, Error>) -> Found<T> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.into_damage().map(Err),
    }
}
