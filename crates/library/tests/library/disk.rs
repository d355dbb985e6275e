//! The real disk, which can be made to fail, to panic, or to keep its caller waiting, in the files of cartridges.

use std::io::{self, IoSlice, IoSliceMut};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use capstan_disk::{Disk, Entry, File, Lock, Mode, RealDisk};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    #[default]
    Good,
    /// Syncs of cartridges wait.
    Waiting,
    /// Writes to cartridges panic.
    Panicking,
    /// Syncs of cartridges fail.
    Failing,
    /// Syncs of the catalog fail.
    CatalogFailing,
    /// Verifications wait before each segment.
    HoldingVerifications,
}

type Shared = Arc<(Mutex<Mood>, Condvar)>;

#[derive(Debug, Default)]
pub struct TestDisk(Shared);

impl TestDisk {
    pub fn set(&self, mood: Mood) {
        *self.0.0.lock().unwrap() = mood;
        self.0.1.notify_all();
    }
}

#[derive(Debug)]
struct TestFile {
    file: Box<dyn File>,
    catalog: bool,
    shared: Shared,
}

impl TestFile {
    fn mood(&self) -> Mood {
        *self.shared.0.lock().unwrap()
    }
}

impl File for TestFile {
    fn write_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        if self.mood() == Mood::Panicking && !self.catalog {
            panic!("planted");
        }
        self.file.write_at(parts, offset)
    }
    fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        self.file.read_at(parts, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        match (self.mood(), self.catalog) {
            (Mood::CatalogFailing, true) | (Mood::Failing, false) => return Err(io::Error::other("planted")),
            (Mood::Waiting, false) => {
                let (mood, changed) = &*self.shared;
                let guard = mood.lock().unwrap();
                drop(changed.wait_while(guard, |mood| *mood == Mood::Waiting).unwrap());
            }
            _ => {}
        }
        self.file.sync_data()
    }
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn forget_cache(&self) -> io::Result<()> {
        let (mood, changed) = &*self.shared;
        let guard = mood.lock().unwrap();
        drop(changed.wait_while(guard, |mood| *mood == Mood::HoldingVerifications).unwrap());
        self.file.forget_cache()
    }
}

impl Disk for TestDisk {
    fn open(&self, path: &Path, mode: Mode) -> io::Result<Box<dyn File>> {
        let name = path.to_string_lossy();
        let catalog = name.contains("catalog.redb") || name.contains("library.state");
        Ok(Box::new(TestFile { file: RealDisk.open(path, mode)?, catalog, shared: Arc::clone(&self.0) }))
    }
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_directory(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        RealDisk.list(path)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_file(path)
    }
    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove_directory(path)
    }
    fn length(&self, path: &Path) -> io::Result<u64> {
        RealDisk.length(path)
    }
    fn free_space(&self, path: &Path) -> io::Result<u64> {
        RealDisk.free_space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        RealDisk.lock(path)
    }
}
