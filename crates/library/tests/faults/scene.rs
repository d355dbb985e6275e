//! A library with two loaded drives, of which the first one meets the fault.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use capstan_disk::{Disk, Loss, SimCall, SimDisk, SimFault};
use capstan_library::{
    CartridgeOptions, Event, EventKind, FirstStart, Library, LibraryOptions, UploadBuffer, l700_layout,
};
use capstan_media::{Barcode, MIN_CARTRIDGE_SIZE};
use capstan_scsi::sam::Completion;

use crate::host::{END_OF_DATA, Host, Sense, sense};

pub const SLOT: u16 = 1000;
pub const DRIVE: u16 = 500;

/// Length of the blocks that are there from the beginning.
pub const LENGTH: usize = 1000;

/// Blocks before the recovery point; one more follows it and is not synchronised.
pub const SYNCED: u8 = 5;

/// Host bytes in a segment.
pub const SEGMENT: u64 = 1 << 20;

/// Kept free for each loaded cartridge. More than is granted without asking the disk.
pub const RESERVE: u64 = 8 << 20;

pub struct Scene {
    pub disk: SimDisk,
    pub drive: Host,
    pub changer: Host,
    other: Host,
    library: Option<Library>,
    options: LibraryOptions,
    runtime: tokio::runtime::Runtime,
    /// What the drive said when it was last asked for TapeAlert flags.
    pub attentions: Vec<Sense>,
    what: String,
    seen: u64,
    /// Blocks on the other cartridge.
    others: u8,
    /// Where the third cartridge is.
    third: u16,
    /// The id of the cartridge that meets the fault, as paths have it.
    id: String,
}

pub fn block(number: u8) -> Vec<u8> {
    vec![number; LENGTH]
}

impl Scene {
    pub fn new(what: &str) -> Self {
        let disk = SimDisk::new();
        let mut options = LibraryOptions::new(PathBuf::from("/state"));
        options.layout = l700_layout(2, 8, 2);
        options.tape_size = MIN_CARTRIDGE_SIZE;
        options.first_start = FirstStart { count: 3, size: MIN_CARTRIDGE_SIZE, prefix: "CAP".to_owned() };
        options.cartridge =
            CartridgeOptions { segment_size: SEGMENT, unsynced_segments: 1, reserve: RESERVE, versions: 0 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let library = Library::start(&options, Arc::new(disk.clone())).unwrap();
        let [mut changer, mut drive, mut other] = hosts(&library);
        for index in 0..2 {
            assert_eq!(sense(&changer.move_medium(SLOT + index, DRIVE + index)), None);
        }
        drive.attentions();
        other.attentions();
        for number in 0..SYNCED {
            drive.write_good(&block(number));
        }
        drive.filemarks(1);
        drive.write_good(&block(SYNCED));
        let first = runtime.block_on(library.librarian().tape(Barcode::new("CAP001L8").unwrap())).unwrap();
        Self {
            disk,
            drive,
            changer,
            other,
            library: Some(library),
            options,
            runtime,
            attentions: Vec::new(),
            what: what.to_owned(),
            seen: 0,
            others: 0,
            third: SLOT + 2,
            id: first.id.to_string(),
        }
    }

    /// The next call of a kind on a segment of the first cartridge fails.
    pub fn fail_segment(&self, call: SimCall, fault: SimFault) {
        self.disk.fail_next(call, &format!("{}/0", self.id), fault);
    }

    /// The next call of a kind on the metadata of the first cartridge fails.
    pub fn fail_meta(&self, call: SimCall, fault: SimFault) {
        self.disk.fail_next(call, &format!("{}/cartridge.meta", self.id), fault);
    }

    /// A bit in the file of the first segment turns round.
    pub fn damage_segment(&self, offset: u64) {
        let tapes = Path::new("/state/cartridges/tapes");
        let file = tapes.join(&self.id[..2]).join(&self.id).join("000000/000000001.seg");
        self.disk.flip(&file, offset, 0x10).unwrap();
    }

    pub fn damage_meta(&self, offset: u64) {
        let tapes = Path::new("/state/cartridges/tapes");
        self.disk.flip(&tapes.join(&self.id[..2]).join(&self.id).join("cartridge.meta"), offset, 0x10).unwrap();
    }

    /// Where the payload of one of the first blocks begins.
    pub fn payload(number: u64) -> u64 {
        1024 + number * (48 + LENGTH as u64) + 48
    }

    /// So much is free from now on.
    pub fn leave(&self, bytes: u64) {
        self.disk.limit_space(Some(self.disk.used() + bytes));
    }

    /// A stop, and a start with an upload buffer of so many bytes in front of which no WRITE waits; the drive stands at
    /// the end of data.
    pub fn limit_buffer(&mut self, size: u64) {
        self.options.upload_buffer = Some(UploadBuffer { size, stall_limit: Duration::ZERO });
        self.restart();
        self.drive.attentions();
        self.drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
        self.forget_what_happened();
    }

    /// Large blocks until one is refused; how many were written before.
    pub fn fill(&mut self) -> (u64, Completion) {
        let large = vec![0xfb; 250_000];
        for count in 0..200 {
            let completion = self.drive.write(&large);
            if sense(&completion).is_some() {
                return (count, completion);
            }
        }
        panic!("{}: no write is refused", self.what);
    }

    pub fn forget_what_happened(&mut self) {
        self.alerts();
        self.events();
    }

    /// TapeAlert flags raised since the last call.
    pub fn alerts(&mut self) -> Vec<usize> {
        self.attentions = self.drive.attentions();
        let page = self.drive.good(&[0x4d, 0, 0x6e, 0, 0, 0, 0, 1, 0x44, 0], &[]);
        page[4..].chunks(5).enumerate().filter(|(_, flag)| flag[4] == 1).map(|(index, _)| index + 1).collect()
    }

    /// Kinds of the events since the last call, but those of sessions and of the other drive.
    pub fn events(&mut self) -> Vec<EventKind> {
        let library = self.library.as_ref().unwrap();
        // What drives have told the librarian, it has told by then.
        let _ = self.runtime.block_on(library.librarian().statistics());
        let new = library.events().since(self.seen);
        self.seen = new.next;
        let sessions = [EventKind::LoggedIn, EventKind::LoggedOut];
        let concerns = |event: &&Event| event.drive != Some(1) && !sessions.contains(&event.kind);
        new.events.iter().filter(concerns).map(|event| event.kind).collect()
    }

    /// What the drive says of its readiness after all unit attentions.
    pub fn readiness(&mut self) -> Option<Sense> {
        self.drive.attentions().last().copied().filter(|sense| sense.0 != 6)
    }

    /// A proper stop, and a start.
    pub fn restart(&mut self) {
        self.library.take().unwrap().shutdown();
        self.start();
    }

    /// A stop, and a start that cannot open the first cartridge.
    pub fn fail_at_start(&mut self) {
        self.library.take().unwrap().shutdown();
        // The list of all cartridges reads the file first; the drive does so later.
        self.disk.fail_always(SimCall::Open, &format!("{}/cartridge.meta", self.id), SimFault::Io);
        self.start();
    }

    pub fn start(&mut self) {
        let library = Library::start(&self.options, Arc::new(self.disk.clone())).unwrap();
        [self.changer, self.drive, self.other] = hosts(&library);
        self.library = Some(library);
        self.seen = 0;
    }

    /// LOAD, and its unit attention.
    pub fn load(&mut self) {
        self.drive.load();
        self.drive.attentions();
    }

    /// LOCATE.
    pub fn locate(&mut self, object: u8) {
        self.drive.good(&[0x2b, 0, 0, 0, 0, 0, object, 0, 0, 0], &[]);
    }

    /// The blocks before the recovery point, and the filemark.
    pub fn synced_is_there(&mut self) {
        self.drive.attentions();
        self.drive.rewind();
        for number in 0..SYNCED {
            assert_eq!(self.drive.read().as_deref(), Ok(&block(number)[..]), "{}: block {number}", self.what);
        }
        assert_eq!(self.drive.read(), Err(crate::host::FILEMARK), "{}", self.what);
    }

    /// Everything that was answered, also the block that was not synchronised, and nothing else.
    pub fn all_is_there(&mut self) {
        self.synced_is_there();
        assert_eq!(self.drive.read().as_deref(), Ok(&block(SYNCED)[..]), "{}", self.what);
        assert_eq!(self.drive.read(), Err(END_OF_DATA), "{}", self.what);
    }

    /// At the end of data: a block and a filemark.
    pub fn writes_again(&mut self) {
        self.drive.good(&[0x11, 3, 0, 0, 0, 0], &[]);
        let at = self.drive.position();
        self.drive.write_good(&block(77));
        self.drive.filemarks(1);
        self.drive.good(&[0x2b, 0, 0, 0, 0, 0, at as u8, 0, 0, 0], &[]);
        assert_eq!(self.drive.read().as_deref(), Ok(&block(77)[..]), "{}", self.what);
    }

    /// Nothing is written until the cartridge is loaded again, and what is there can be read.
    pub fn is_poisoned(&mut self) {
        assert_eq!(sense(&self.drive.write(b"x")), Some((3, 0x50, 0)), "{}", self.what);
        self.drive.fails(&[0x10, 0, 0, 0, 1, 0], &[], (3, 0x50, 0));
        self.drive.fails(&[0x10, 0, 0, 0, 0, 0], &[], (3, 0x50, 0));
        self.synced_is_there();
    }

    /// UNLOAD and LOAD, which looks at what the disk holds.
    pub fn heals_by_loading(&mut self) {
        self.drive.unload();
        assert!(self.events().contains(&EventKind::LetGo), "{}", self.what);
        self.load();
        assert!(self.events().contains(&EventKind::Recovered), "{}", self.what);
        self.synced_is_there();
        self.writes_again();
    }

    pub fn element_of(&mut self, label: &str) -> u16 {
        let found = self.changer.elements().into_iter().find(|one| one.barcode.as_deref() == Some(label));
        found.unwrap().address
    }

    /// The cartridge in the other drive is written and read, where there is room; a third one is moved.
    pub fn others_go_on(&mut self) {
        self.other.attentions();
        self.other.good(&[0x11, 3, 0, 0, 0, 0], &[]);
        let written = sense(&self.other.write(&block(self.others)));
        match written {
            None => self.others += 1,
            Some(full) => assert_eq!(full, (2, 4, 7), "{}: WRITE in the other drive", self.what),
        }
        assert_eq!(sense(&self.other.run(&[0x10, 0, 0, 0, 0, 0], &[])), None, "{}: in the other drive", self.what);
        self.other.rewind();
        for number in 0..self.others {
            assert_eq!(self.other.read().as_deref(), Ok(&block(number)[..]), "{}: in the other drive", self.what);
        }
        let to = if self.third == SLOT + 2 { SLOT + 6 } else { SLOT + 2 };
        assert_eq!(sense(&self.changer.move_medium(self.third, to)), None, "{}: another move", self.what);
        self.third = to;
        let told = self.library.as_ref().unwrap().events().since(self.seen).events;
        let disk = [EventKind::DiskFull, EventKind::DiskHasRoom];
        assert!(told.iter().all(|event| event.drive != Some(1) || disk.contains(&event.kind)), "{told:?}");
    }

    /// After a loss of power, that is.
    pub fn others_are_whole(&mut self) {
        drop(self.library.take());
        self.disk.restart(Loss::All);
        self.start();
        self.other.attentions();
        self.other.rewind();
        for number in 0..self.others {
            assert_eq!(self.other.read().as_deref(), Ok(&block(number)[..]), "{}: the other cartridge", self.what);
        }
        assert_eq!(self.other.read(), Err(END_OF_DATA), "{}: the other cartridge", self.what);
        assert_eq!((self.element_of("CAP003L8"), self.element_of("CAP002L8")), (self.third, DRIVE + 1));
        let _: &dyn Disk = &self.disk;
    }
}

/// Changer and drives, with the attentions of the beginning fetched.
fn hosts(library: &Library) -> [Host; 3] {
    let routers = library.routers(None);
    [0, 1, 2].map(|index| {
        let mut host = Host::new(&routers[index].1, 1);
        host.attentions();
        host
    })
}
