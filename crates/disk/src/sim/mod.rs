//! A file system in memory that keeps the rules of [`crate::Disk`] and nothing more.
//!
//! It loses power on request: any subset of unsynced pages survives, torn at sectors, and any subset of unsynced
//! directory changes. It fails any chosen call, by number or by kind and path, and a failed synchronisation leaves its
//! pages clean and lost. Writes may be short. All chances come from a seed.

mod content;
mod fault;
mod names;
mod state;

use std::io::{self, IoSlice, IoSliceMut};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Disk, Entry, File, Lock, Mode};
pub use fault::{SimCall, SimFault};
use names::Inode;
use state::{Chance, State};

/// A simulated file system. Clones are the same one.
#[derive(Clone, Default, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

/// What a loss of power does to what is not synchronised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// All of it is gone.
    All,
    /// Nothing happens to it: only the process died. It is still not synchronised.
    Nothing,
    /// Directory changes are gone; pages and lengths of the files that have names are all there.
    Names,
    /// Directory changes and lengths of files are there; of the pages none.
    Pages,
    /// Chance decides for each page, each directory change and the length of each file.
    Random(u64),
}

impl SimDisk {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty file system whose chances, of what a fault leaves behind, are others than those of [`SimDisk::new`].
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let disk = Self::new();
        disk.state().chance = Chance::new(seed);
        disk
    }

    /// Calls so far that open an existing file or read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Calls so far that change or synchronise something.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Synchronisations so far, of files and of directories, by number of call.
    #[must_use]
    pub fn synchronisations(&self) -> Vec<u64> {
        self.state().synchronisations.clone()
    }

    /// Lets a call with that number, counted as by [`SimDisk::calls`] from 1, fail.
    pub fn fail_at(&self, call: u64, fault: SimFault) {
        self.state().faults.at(call, fault);
    }

    /// The same, of the calls that [`SimDisk::reads`] counts.
    pub fn fail_read_at(&self, call: u64, fault: SimFault) {
        self.state().read_faults.at(call, fault);
    }

    /// Lets the next call of a kind fail that concerns a path with `path` in it. A rename concerns its new name.
    pub fn fail_next(&self, call: SimCall, path: &str, fault: SimFault) {
        self.fail_on(call, path, fault, false);
    }

    /// Lets every call of a kind fail that concerns a path with `path` in it, until [`SimDisk::heal`].
    pub fn fail_always(&self, call: SimCall, path: &str, fault: SimFault) {
        self.fail_on(call, path, fault, true);
    }

    fn fail_on(&self, call: SimCall, path: &str, fault: SimFault, lasting: bool) {
        let mut state = self.state();
        let faults = if call.is_counted() { &mut state.faults } else { &mut state.read_faults };
        faults.on(call, path, fault, lasting);
    }

    /// Faults still to come are forgotten.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.forget();
        state.read_faults.forget();
    }

    /// Damages a byte of a file, on the disk and in the cache: the bits in `mask` turn round.
    ///
    /// # Errors
    /// There is no such file, or it ends before `offset`.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        self.state().flip(path, offset, mask)
    }

    /// Bytes in all files that have a name.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// The power has gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// Limits the bytes in all files together, or lifts that.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// The machine comes up again after a loss of power. Faults still to come are forgotten; files that were open are
    /// dead.
    pub fn restart(&self, loss: Loss) {
        self.state().restart(loss);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        let inode = match mode {
            Mode::Create => state.create_file(path)?,
            Mode::Read | Mode::Write => state.file_at(path)?,
        };
        state.opened(inode);
        Ok(Box::new(SimFile { disk: self.clone(), inode, generation: state.generation }))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.state().create_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.state().list(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.state().sync_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state().rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.state().remove(path, false)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.state().remove(path, true)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        self.state().length_at(path)
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        let state = self.state();
        Ok(state.space.map_or(u64::MAX, |space| space.saturating_sub(state.used())))
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Lock>> {
        Ok(Box::new(SimLock))
    }
}

#[derive(Debug)]
struct SimLock;

impl Lock for SimLock {}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: Inode,
    generation: u64,
}

impl SimFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.generation == self.generation { Ok(state) } else { Err(io::Error::other("opened before the restart")) }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state() {
            state.closed(self.inode);
        }
    }
}

impl File for SimFile {
    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        self.state()?.write(self.inode, parts, offset)
    }

    fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        self.state()?.read(self.inode, parts, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state()?.sync_file(self.inode)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.state()?.truncate(self.inode, length)
    }

    fn length(&self) -> io::Result<u64> {
        self.state()?.length(self.inode)
    }

    fn forget_cache(&self) -> io::Result<()> {
        self.state()?.forget_cache(self.inode)
    }
}

#[cfg(test)]
mod tests;
