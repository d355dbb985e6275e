//! The file system as the storage engine sees it.

use std::fmt;
use std::io;
use std::path::Path;

use crate::File;

/// How to open a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Read only; it must exist.
    Read,
    /// Read and write; it must exist.
    Write,
    /// Read and write; it must not exist.
    Create,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// The name, without the directory.
    pub name: String,
    /// It is a directory itself.
    pub is_directory: bool,
}

/// Holds an advisory lock until it is dropped.
pub trait Lock: Send + Sync + fmt::Debug {}

/// A file system. All paths are used as they are given.
///
/// The rules that every implementation, real or simulated, may exploit:
/// - written bytes are durable only after [`File::sync_data`] of the same file has succeeded;
/// - a name is durable (or durably gone) only after [`Disk::sync_directory`] of the directory that holds it;
/// - before that, any subset of written pages and of directory changes may survive a power cut; a rename survives
///   as a whole or not at all;
/// - after a failed `sync_data` the pages may be clean and lost at once: a second call proves nothing.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Opens or creates a file.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, or what the file system says.
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Box<dyn File>>;

    /// Creates a directory whose parent exists.
    ///
    /// # Errors
    /// `AlreadyExists`, or what the file system says.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Lists a directory, in no particular order.
    ///
    /// # Errors
    /// What the file system says.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// What the file system says; the names may or may not be durable then.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Renames a file, replacing what has the new name, or a directory.
    ///
    /// # Errors
    /// What the file system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the file system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What the file system says.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Length of a file in bytes, without opening it.
    ///
    /// # Errors
    /// What the file system says.
    fn length(&self, path: &Path) -> io::Result<u64>;

    /// Bytes that this process can still allocate on the file system under `path`.
    ///
    /// # Errors
    /// What the file system says.
    fn free_space(&self, path: &Path) -> io::Result<u64>;

    /// Takes an exclusive advisory lock on a file, which is created if missing.
    ///
    /// # Errors
    /// `WouldBlock` when another process (or another holder in this one) has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}
