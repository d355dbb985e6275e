//! A tape as a directory: a file with the data of each tape file that has any, and an index.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::{Disk, Entry};
use capstan_image::index::{Line, NAME, file_name};

use super::Image;
use super::output::Output;
use crate::jobs::transfer::{Context, TransferError};

/// A directory that is written.
pub(super) struct Directory {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    index: Output,
    /// The data of the tape file that is written.
    data: Option<Output>,
    /// Filemarks before it.
    number: u64,
    /// What the next line of the index says, if nothing more of the same follows.
    last: Option<Line>,
}

/// An export has written it.
pub(super) fn is_ours(entry: &Entry) -> bool {
    let is_data = |name: &str| name.strip_suffix(".raw").is_some_and(|it| it.parse::<u64>().is_ok());
    !entry.is_directory && (entry.name == NAME || is_data(&entry.name))
}

impl Directory {
    pub(super) fn create(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, TransferError> {
        disk.create_directory(path).context("create", path)?;
        let mut index = Output::create(disk.as_ref(), &path.join(NAME))?;
        index.push(format!("{}\n", Line::Begin).as_bytes())?;
        Ok(Self { disk, path: path.to_owned(), index, data: None, number: 0, last: None })
    }

    /// What follows is more of the last line, or a new one.
    fn note(&mut self, line: Line) -> Result<(), TransferError> {
        let both = match (&self.last, &line) {
            (Some(Line::Blocks { count, length }), Line::Blocks { count: more, length: same }) if length == same => {
                Some(Line::Blocks { count: count.saturating_add(*more), length: *length })
            }
            (Some(Line::Unreadable(count)), Line::Unreadable(more)) => {
                Some(Line::Unreadable(count.saturating_add(*more)))
            }
            (Some(Line::Filemarks(count)), Line::Filemarks(more)) => Some(Line::Filemarks(count.saturating_add(*more))),
            _ => None,
        };
        match both {
            Some(both) => self.last = Some(both),
            None => {
                if let Some(last) = self.last.replace(line) {
                    self.index.push(format!("{last}\n").as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

impl Image for Directory {
    fn blocks(&mut self, data: &[u8], length: u32) -> Result<(), TransferError> {
        let count = u64::try_from(data.len()).unwrap_or(u64::MAX) / u64::from(length.max(1));
        if self.data.is_none() {
            let file = Output::create(self.disk.as_ref(), &self.path.join(file_name(self.number)))?;
            self.note(Line::File(self.number))?;
            self.data = Some(file);
        }
        if let Some(file) = &mut self.data {
            file.push(data)?;
        }
        self.note(Line::Blocks { count, length })
    }

    fn unreadable(&mut self) -> Result<(), TransferError> {
        self.note(Line::Unreadable(1))
    }

    fn filemark(&mut self) -> Result<(), TransferError> {
        if let Some(mut data) = self.data.take() {
            data.finish()?;
        }
        self.number = self.number.saturating_add(1);
        self.note(Line::Filemarks(1))
    }

    fn finish(&mut self) -> Result<(), TransferError> {
        if let Some(mut data) = self.data.take() {
            data.finish()?;
        }
        self.note(Line::End)?;
        self.index.push(format!("{}\n", Line::End).as_bytes())?;
        self.index.finish()?;
        self.disk.sync_directory(&self.path).context("synchronise", &self.path)
    }
}
