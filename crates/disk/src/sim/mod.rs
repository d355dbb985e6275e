//! A file system in memory that keeps the rules of [`crate::Disk`] and nothing more.
//!
//! It loses power on request: any subset of unsynced pages survives, torn at sectors, and any subset of unsynced
//! directory changes. It fails any chosen call, and a failed synchronisation leaves its pages clean and lost. All
//! chances come from a seed.

mod content;
mod names;
mod state;

use std::io::{self, IoSlice, IoSliceMut};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Disk, Entry, File, Lock, Mode};
use names::Inode;
use state::State;

/// A simulated file system. Clones are the same one.
#[derive(Clone, Default, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

/// What a call comes to instead of success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SimFault {
    /// The power goes: this call and all later ones fail until [`SimDisk::restart`].
    PowerOff,
    /// An I/O error. Of a synchronisation: the pages are clean and lost afterwards.
    Io,
    /// The file system is full. A write comes through in part.
    NoSpace,
}

/// What a loss of power does to what is not synchronised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// All of it is gone.
    All,
    /// Nothing happens to it: only the process died. It is still not synchronised.
    Nothing,
    /// Chance decides for each page, each directory change and the length of each file.
    Random(u64),
}

impl SimDisk {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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
        self.state().faults.insert(call, fault);
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
mod tests {
    use super::*;
    use crate::{read_up_to, write_all_at};

    fn write(file: &dyn File, bytes: &[u8], offset: u64) {
        write_all_at(file, &mut [IoSlice::new(bytes)], offset).unwrap();
    }

    fn content(disk: &SimDisk, path: &str) -> io::Result<Vec<u8>> {
        read_up_to(disk.open(Path::new(path), Mode::Read)?.as_ref(), 0, u64::MAX)
    }

    #[test]
    fn only_what_was_synchronised_is_sure_to_survive() {
        let disk = SimDisk::new();
        disk.create_directory(Path::new("/d")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        for name in ["/d/both", "/d/content"] {
            let file = disk.open(Path::new(name), Mode::Create).unwrap();
            write(file.as_ref(), b"first", 0);
            file.sync_data().unwrap();
            if name == "/d/both" {
                disk.sync_directory(Path::new("/d")).unwrap();
            }
            write(file.as_ref(), b"second", 5);
        }
        assert_eq!(content(&disk, "/d/both").unwrap(), b"firstsecond");
        disk.restart(Loss::All);
        assert_eq!(content(&disk, "/d/both").unwrap(), b"first");
        assert_eq!(content(&disk, "/d/content").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn chance_keeps_any_subset_of_pages() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let disk = SimDisk::new();
            let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
            write(file.as_ref(), &[1; 8192], 0);
            file.sync_data().unwrap();
            disk.sync_directory(Path::new("/")).unwrap();
            write(file.as_ref(), &[2; 8192], 0);
            disk.restart(Loss::Random(seed));
            let bytes = content(&disk, "/f").unwrap();
            seen.insert((bytes[0], bytes[4095], bytes[4096], bytes[8191]));
        }
        for whole in [(1, 1, 1, 1), (2, 2, 2, 2), (1, 1, 2, 2), (2, 2, 1, 1)] {
            assert!(seen.contains(&whole), "{whole:?}");
        }
        assert!(seen.contains(&(2, 1, 1, 1)), "torn inside a page");
    }

    #[test]
    fn a_rename_survives_as_a_whole_or_not_at_all() {
        for seed in 0..50 {
            let disk = SimDisk::new();
            for (name, text) in [("/new", b"new"), ("/old", b"old")] {
                let file = disk.open(Path::new(name), Mode::Create).unwrap();
                write(file.as_ref(), text, 0);
                file.sync_data().unwrap();
            }
            disk.sync_directory(Path::new("/")).unwrap();
            disk.rename(Path::new("/new"), Path::new("/old")).unwrap();
            disk.restart(Loss::Random(seed));
            match content(&disk, "/old").unwrap().as_slice() {
                b"old" => assert_eq!(content(&disk, "/new").unwrap(), b"new"),
                b"new" => assert!(content(&disk, "/new").is_err()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_failed_synchronisation_loses_pages_that_the_cache_still_shows() {
        let disk = SimDisk::new();
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        write(file.as_ref(), b"gone", 0);
        disk.fail_at(disk.calls() + 1, SimFault::Io);
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        assert_eq!(content(&disk, "/f").unwrap(), b"gone");
        file.forget_cache().unwrap();
        assert_eq!(content(&disk, "/f").unwrap(), [0; 4]);
    }

    #[test]
    fn a_full_disk_takes_a_part() {
        let disk = SimDisk::new();
        let file = disk.open(Path::new("/f"), Mode::Create).unwrap();
        disk.limit_space(Some(6));
        let stop = write_all_at(file.as_ref(), &mut [IoSlice::new(b"0123"), IoSlice::new(b"4567")], 0).unwrap_err();
        assert_eq!((stop.written, crate::is_no_space(&stop.error)), (6, true));
        disk.limit_space(None);
        write(file.as_ref(), b"67", 6);
        assert_eq!(content(&disk, "/f").unwrap(), b"01234567");
        disk.fail_at(disk.calls() + 1, SimFault::PowerOff);
        assert!(file.truncate(0).is_err());
        assert!(file.length().is_err());
        disk.restart(Loss::Nothing);
        assert!(file.length().is_err(), "an old descriptor");
        assert_eq!(content(&disk, "/f").unwrap().len(), 8);
    }
}
