//! An open file, and how to write and read all of a range.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};

/// An open file, addressed by offset. See [`crate::Disk`] for what a sync means.
pub trait File: Send + Sync + fmt::Debug {
    /// Writes the parts one after the other at `offset`; may write less than all.
    ///
    /// # Errors
    /// What the file system says. Nothing is known about the range then.
    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize>;

    /// Fills the parts one after the other from `offset`; may read less, 0 at end of file.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize>;

    /// Makes the bytes and the length durable (fdatasync).
    ///
    /// # Errors
    /// What the file system says. Everything written since the last success is untrusted for ever then.
    fn sync_data(&self) -> io::Result<()>;

    /// Cuts the file to `length`.
    ///
    /// # Errors
    /// What the file system says.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Length in bytes.
    ///
    /// # Errors
    /// What the file system says.
    fn length(&self) -> io::Result<u64>;

    /// Drops what the kernel caches of this file and is not dirty, so that the next read shows what the disk holds.
    /// After a failed sync this is what tells lost pages from written ones. Best effort.
    ///
    /// # Errors
    /// What the file system says.
    fn forget_cache(&self) -> io::Result<()>;

    /// A read of that range would wait for this machine at most, not for another one.
    fn is_at_hand(&self, offset: u64, length: u64) -> bool {
        let _ = (offset, length);
        true
    }
}

/// A write ended before all was written.
#[derive(Debug)]
pub struct WriteStopped {
    /// Bytes that were written.
    pub written: u64,
    /// Why it ended.
    pub error: io::Error,
}

/// The disk or the quota is full, which goes away; other write errors do not.
#[must_use]
pub fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes all of `parts` at `offset`, in one call where the file system takes it in one.
///
/// # Errors
/// How much was written before the error.
pub fn write_all_at(file: &dyn File, parts: &mut [IoSlice<'_>], offset: u64) -> Result<(), WriteStopped> {
    let mut rest = parts;
    let mut written: u64 = 0;
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_at(rest, offset.saturating_add(written)) {
            Ok(0) => return Err(WriteStopped { written, error: io::ErrorKind::WriteZero.into() }),
            Ok(count) => {
                written = written.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                IoSlice::advance_slices(&mut rest, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(WriteStopped { written, error }),
        }
    }
    Ok(())
}

/// Fills all of `parts` from `offset`, in one call where the file system does it in one.
///
/// # Errors
/// `UnexpectedEof` when the file ends before, or what the file system says.
pub fn read_exact_at(file: &dyn File, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<()> {
    let mut rest = parts;
    let mut read: u64 = 0;
    IoSliceMut::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.read_at(rest, offset.saturating_add(read)) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                read = read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                IoSliceMut::advance_slices(&mut rest, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads from `offset` to the end of the file, at most `limit` bytes.
///
/// # Errors
/// What the file system says.
pub fn read_up_to(file: &dyn File, offset: u64, limit: u64) -> io::Result<Vec<u8>> {
    let wanted = file.length()?.saturating_sub(offset).min(limit);
    let wanted = usize::try_from(wanted).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; wanted];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(&mut [IoSliceMut::new(rest)], at) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
