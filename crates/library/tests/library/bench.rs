//! A library in a directory of its own, started, stopped, killed and started again.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_disk::Disk;
use capstan_library::{
    DriveInfo, DriveState, FirstStart, Librarian, Library, LibraryError, LibraryOptions, TapeInfo, l700_layout,
};
use capstan_media::{Barcode, MIN_CARTRIDGE_SIZE};
use capstan_scsi::sam::TaskRouter;

use crate::disk::TestDisk;
use crate::host::{Host, NEW_MEDIUM, POWER_ON, Sense};

pub const SLOT: u16 = 1000;
pub const DRIVE: u16 = 500;
pub const IO: u16 = 10;

pub struct Bench {
    pub options: LibraryOptions,
    pub disk: Arc<TestDisk>,
    library: Option<Library>,
    runtime: tokio::runtime::Runtime,
    directory: tempfile::TempDir,
    next_nexus: u64,
}

impl Bench {
    /// Two drives, eight slots, two import/export slots, four cartridges of the smallest size.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut LibraryOptions)) -> Self {
        let mut bench = Self::unstarted(change);
        bench.start();
        bench
    }

    pub fn unstarted(change: impl FnOnce(&mut LibraryOptions)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = LibraryOptions::new(directory.path().join("state"));
        options.layout = l700_layout(2, 8, 2);
        options.tape_size = MIN_CARTRIDGE_SIZE;
        options.first_start = FirstStart { count: 4, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
        change(&mut options);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let disk = Arc::new(TestDisk::default());
        Self { options, disk, library: None, runtime, directory, next_nexus: 0 }
    }

    pub fn state_dir(&self) -> &Path {
        &self.options.state_dir
    }

    pub fn outside(&self) -> &Path {
        self.directory.path()
    }

    pub fn try_start(&mut self) -> Result<(), LibraryError> {
        let disk: Arc<dyn Disk> = self.disk.clone();
        self.library = Some(Library::start(&self.options, disk)?);
        Ok(())
    }

    pub fn start(&mut self) {
        self.try_start().unwrap();
    }

    /// A proper stop and a start.
    pub fn restart(&mut self) {
        self.shutdown();
        self.start();
    }

    pub fn shutdown(&mut self) {
        self.library.take().unwrap().shutdown();
    }

    /// The death of the process.
    pub fn kill(&mut self) {
        drop(self.library.take());
    }

    pub fn library(&self) -> &Library {
        self.library.as_ref().unwrap()
    }

    pub fn router(&self, suffix: &str) -> Arc<dyn TaskRouter> {
        self.library().routers(None).into_iter().find(|(name, _)| name == suffix).unwrap().1
    }

    /// A new nexus, with the attention of its beginning fetched.
    pub fn host(&mut self, suffix: &str) -> Host {
        let (host, attentions) = self.host_with_attentions(suffix);
        assert_eq!(attentions.first(), Some(&POWER_ON), "{suffix}: {attentions:?}");
        host
    }

    pub fn host_with_attentions(&mut self, suffix: &str) -> (Host, Vec<Sense>) {
        self.next_nexus += 1;
        let mut host = Host::new(&self.router(suffix), self.next_nexus);
        let attentions = host.attentions();
        (host, attentions)
    }

    pub fn changer(&mut self) -> Host {
        self.host("changer")
    }

    pub fn drive(&mut self, index: u16) -> Host {
        self.host(&format!("drive-{index:02}"))
    }

    /// A drive with the cartridge of a slot in it, and its attention fetched.
    pub fn loaded(&mut self, changer: &mut Host, slot: u16, index: u16) -> Host {
        let mut drive = self.drive(index);
        let moved = changer.move_medium(SLOT + slot - 1, DRIVE + index);
        assert_eq!(crate::host::sense(&moved), None);
        assert_eq!(drive.attentions(), [NEW_MEDIUM]);
        drive
    }

    pub fn ask<T, F: Future<Output = T>>(&self, ask: impl FnOnce(Librarian) -> F) -> T {
        let librarian = self.library().librarian();
        self.runtime.block_on(ask(librarian))
    }

    pub fn tape(&self, label: &str) -> TapeInfo {
        let barcode = barcode(label);
        self.ask(|librarian| async move { librarian.tape(barcode).await }).unwrap()
    }

    pub fn drive_info(&self, index: u16) -> DriveInfo {
        let drives = self.ask(|librarian| async move { librarian.drives().await }).unwrap();
        drives[usize::from(index)].clone()
    }

    /// Waits until a drive shows a state.
    pub fn wait_for(&self, index: u16, state: DriveState) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.drive_info(index).state != state || self.drive_info(index).busy {
            assert!(Instant::now() < until, "drive {index} is {:?}", self.drive_info(index));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a drive is in the middle of an operation.
    pub fn wait_busy(&self, index: u16) {
        self.until(|bench| bench.drive_info(index).busy);
    }

    /// Waits until something is so.
    pub fn until(&self, so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !so(self) {
            assert!(Instant::now() < until, "it never came to that");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Barcodes by address, as the changer reports them.
    pub fn inventory(&mut self) -> Vec<(u16, String)> {
        let mut changer = self.changer();
        changer.elements().into_iter().filter_map(|one| Some((one.address, one.barcode?))).collect()
    }
}

pub fn barcode(label: &str) -> Barcode {
    Barcode::new(label).unwrap()
}

/// A block that says who it is.
pub fn block(number: u64, length: usize) -> Vec<u8> {
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

impl Drop for Bench {
    /// A test that failed while the disk kept somebody waiting must still end.
    fn drop(&mut self) {
        self.disk.set(crate::disk::Mood::Good);
    }
}
