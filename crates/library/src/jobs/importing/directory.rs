//! A cartridge from a directory that an export has written.

use std::path::{Path, PathBuf};

use capstan_disk::Disk;
use capstan_image::index::{LINE_LIMIT, Line, NAME, file_name};
use capstan_media::MAX_BLOCK_LENGTH;

use super::BATCH;
use super::input::Input;
use super::laying::Laying;
use crate::jobs::order::ImportTape;
use crate::jobs::transfer::{TransferError, Watch, tell};

/// The index, line by line.
struct Index {
    input: Input,
    offset: u64,
    line: u64,
}

/// A file with data, and how much of it is laid down.
struct Data {
    input: Input,
    offset: u64,
}

/// Lays down what the index says.
pub(super) fn lay(
    laying: &mut Laying<'_>,
    disk: &dyn Disk,
    order: &ImportTape,
    watch: Watch<'_>,
) -> Result<(), TransferError> {
    let directory = order.files.first().cloned().unwrap_or_else(PathBuf::new);
    let mut index = Index::open(disk, &directory)?;
    let mut data: Option<Data> = None;
    loop {
        match index.next()? {
            Line::End => return finished(data.as_ref()),
            Line::Begin => return Err(index.wrong("the first line again")),
            Line::File(number) => {
                finished(data.as_ref())?;
                data = Some(Data { input: Input::open(disk, &directory.join(file_name(number)))?, offset: 0 });
            }
            Line::Blocks { count, length } => {
                let Some(data) = data.as_mut().filter(|_| (1..=MAX_BLOCK_LENGTH).contains(&length)) else {
                    return Err(index.wrong("blocks of a length that blocks do not have, or of no file"));
                };
                blocks(laying, data, (count, length), &mut |done| tell(watch, done, order.at_least))?;
            }
            Line::Unreadable(count) if order.skip_errors => laying.left_out(count),
            Line::Unreadable(_) => {
                return Err(index.wrong("blocks that could not be read; --skip-errors leaves such blocks out"));
            }
            Line::Filemarks(count) => {
                finished(data.take().as_ref())?;
                laying.filemarks(count)?;
            }
        }
    }
}

fn blocks(
    laying: &mut Laying<'_>,
    data: &mut Data,
    (count, length): (u64, u32),
    watch: &mut dyn FnMut(u64) -> Result<(), TransferError>,
) -> Result<(), TransferError> {
    let at_once = u64::from(BATCH.checked_div(length).unwrap_or(1).max(1));
    let mut left = count;
    while left > 0 {
        let bytes = u32::try_from(left.min(at_once)).unwrap_or(u32::MAX).saturating_mul(length);
        let end = data.offset.saturating_add(u64::from(bytes));
        if end > data.input.length() {
            let what = format!("bytes up to {end} were expected, and there are {}", data.input.length());
            return Err(TransferError::File { path: data.input.path().to_owned(), what });
        }
        let read = data.input.bytes(data.offset, bytes)?;
        for block in read.chunks(usize::try_from(length).unwrap_or(usize::MAX).max(1)) {
            laying.block(block)?;
        }
        data.offset = end;
        left = left.saturating_sub(at_once);
        watch(laying.bytes())?;
        laying.give_way(watch)?;
    }
    Ok(())
}

/// All of a file is laid down.
fn finished(data: Option<&Data>) -> Result<(), TransferError> {
    match data {
        Some(Data { input, offset }) if *offset != input.length() => {
            let what = format!("the index has {offset} bytes of it, and there are {}", input.length());
            Err(TransferError::File { path: input.path().to_owned(), what })
        }
        _ => Ok(()),
    }
}

impl Index {
    fn open(disk: &dyn Disk, directory: &Path) -> Result<Self, TransferError> {
        let mut index = Self { input: Input::open(disk, &directory.join(NAME))?, offset: 0, line: 0 };
        match index.next()? {
            Line::Begin => Ok(index),
            _ => Err(index.wrong(&format!("`{}` was expected", Line::Begin))),
        }
    }

    /// The next line. One that is too long, that is none, or that is missing is an error.
    fn next(&mut self) -> Result<Line, TransferError> {
        self.line = self.line.saturating_add(1);
        let left = self.input.length().saturating_sub(self.offset);
        let most = u32::try_from(left.min(u64::try_from(LINE_LIMIT).unwrap_or(u64::MAX))).unwrap_or(u32::MAX);
        let bytes = self.input.bytes(self.offset, most)?;
        let length = bytes.iter().position(|byte| *byte == b'\n');
        let text = length.and_then(|length| bytes.get(..length)).and_then(|line| std::str::from_utf8(line).ok());
        let line = text.and_then(Line::parse);
        let passed = length.map_or(0, |length| u64::try_from(length).unwrap_or(0).saturating_add(1));
        self.offset = self.offset.saturating_add(passed);
        line.ok_or_else(|| self.wrong("it is no line of an index"))
    }

    fn wrong(&self, what: &str) -> TransferError {
        TransferError::Index { path: self.input.path().to_owned(), line: self.line, what: what.to_owned() }
    }
}
