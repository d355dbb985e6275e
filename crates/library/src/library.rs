//! The library as its process sees it: started, routed to, shut down.

use std::sync::Arc;
use std::thread::JoinHandle;

use capstan_catalog::Catalog;
use capstan_device::personality::IBM_ULT3580_TD8;
use capstan_device::smc::{self, MediaChanger};
use capstan_device::ssc::TapeDrive;
use capstan_disk::Disk;
use capstan_media::Place;
use capstan_mover::{Keeper, LibraryImages, Operations};
use capstan_scsi::sam::TaskRouter;
use capstan_store::Store;

use crate::clock::Clock;
use crate::drive::{Bay, Calm, DriveActor, DriveMouth, Gate, Gauge, Helm, Lending, Reporter};
use crate::events::Events;
use crate::identity::identity;
use crate::images::Images;
use crate::inventory::check_layout;
use crate::jobs::{JobKind, Jobs, Means};
use crate::librarian::{
    Beginning, DrivePost, JOB_REQUESTS, Librarian, LibrarianActor, LibrarianRequest, OPERATOR_REQUESTS,
};
use crate::options::{CHANGER_SUFFIX, drive_suffix};
use crate::start::{Started, start};
use crate::state_dir::{StateDir, create_all};
use crate::unit::{Ending, Mouth, Part, Unit, UnitRouter, inbox};
use crate::{DeviceAccess, LibraryError, LibraryOptions};

/// Requests of the robot that can wait in a drive's inbox; it sends one at a time.
const DRIVE_REQUESTS: usize = 16;

/// Messages of one drive that can wait in the librarian's inbox before the drive waits.
const NEWS_OF_A_DRIVE: usize = 4;

/// A running library: a thread for each drive and one for the changer.
///
/// Dropping it without [`Library::shutdown`] is like the death of the process, save that the threads end first:
/// cartridges in drives are not closed.
pub struct Library {
    librarian: Librarian,
    events: Events,
    librarian_mouth: Mouth<LibrarianRequest>,
    drive_mouths: Vec<DriveMouth>,
    jobs: Jobs,
    job_threads: Vec<JoinHandle<()>>,
    librarian_thread: Option<JoinHandle<()>>,
    drive_threads: Vec<JoinHandle<()>>,
    single_target: bool,
    uuid: [u8; 16],
    store: Store,
    lending: Arc<Lending>,
    images: LibraryImages,
    // Freed after the threads have ended.
    _state_dir: StateDir,
}

impl Library {
    /// Opens the state directory (made on the first start) and starts the threads. Cartridges in drives are opened by
    /// the drives' threads; commands wait until they are.
    ///
    /// Blocks on the disk: not for an async thread.
    ///
    /// # Errors
    /// Another daemon has the directory, the catalog is damaged or missing, the layout leaves a cartridge without its
    /// place, or the disk failed.
    pub fn start(options: &LibraryOptions, disk: Arc<dyn Disk>) -> Result<Self, LibraryError> {
        check_layout(&options.layout)?;
        let state_dir = StateDir::open(&options.state_dir, &disk)?;
        state_dir.check_whole(disk.as_ref())?;
        state_dir.unmark_carried(disk.as_ref())?;
        let catalog = Catalog::open(&state_dir.catalog(), Arc::clone(&disk))?;
        let store_path = options.cartridge_dir.clone().unwrap_or_else(|| state_dir.cartridges());
        create_all(&store_path, disk.as_ref())?;
        let store = Store::open(&store_path, Arc::clone(&disk))?;
        if let Some(cache) = &options.cache_dir {
            store.open_cache(cache)?;
        }
        let events = Events::default();
        let started = start(catalog, &store, &store_path, options, &events)?;
        let means = Means { disk, options: options.cartridge, upload_buffer: options.upload_buffer };
        let jobs = Jobs::new(store.clone(), events.clone(), means);
        Threads::prepare(options, started, store, events, jobs).spawn(options, state_dir)
    }

    /// The targets: what follows the gateway's name in the target name (`changer`, `drive-00`, ...), and where its
    /// tasks go. With a single target there is one, without a suffix: the changer is LUN 0, drives follow.
    ///
    /// `access`: who may use what; everyone everything if `None`.
    #[must_use]
    pub fn routers(&self, access: Option<&DeviceAccess>) -> Vec<(String, Arc<dyn TaskRouter>)> {
        let changer = Part { name: CHANGER_SUFFIX.to_owned(), unit: Box::new(self.librarian_mouth.clone()) };
        let drive =
            |(index, mouth): (u16, &DriveMouth)| Part { name: drive_suffix(index), unit: Box::new(mouth.clone()) };
        let parts = std::iter::once(changer).chain((0_u16..).zip(&self.drive_mouths).map(drive));
        let router = |name: String, parts| -> Arc<dyn TaskRouter> {
            Arc::new(UnitRouter::new(parts, name, self.events.clone(), access.cloned()))
        };
        if self.single_target {
            return vec![(String::new(), router(String::new(), parts.collect()))];
        }
        parts.map(|part| (part.name.clone(), router(part.name.clone(), vec![part]))).collect()
    }

    /// What has happened since the start, and what will.
    #[must_use]
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// The way to ask for things.
    #[must_use]
    pub fn librarian(&self) -> Librarian {
        self.librarian.clone()
    }

    /// What goes on behind everything else.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    /// Where cartridges can be brought back from. Until it is said there is no such place; what is said first stays.
    pub fn set_operations(&self, operations: Arc<dyn Operations>) {
        self.jobs.set_operations(operations);
    }

    /// Where the cartridges are, for whoever ships them.
    #[must_use]
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// The drives, for whoever ships the cartridges in them.
    #[must_use]
    pub fn keeper(&self) -> Arc<dyn Keeper> {
        Arc::clone(&self.lending) as Arc<dyn Keeper>
    }

    /// The state of the library after each change, for whoever ships it.
    #[must_use]
    pub fn images(&self) -> LibraryImages {
        self.images.clone()
    }

    /// Identity of the library, from its first start on.
    #[must_use]
    pub fn uuid(&self) -> [u8; 16] {
        self.uuid
    }

    /// Stops: the robot finishes what it is at, cartridges in drives are synchronised and closed and stay there, the
    /// threads end. Tasks that wait are not answered: end the sessions first.
    ///
    /// Blocks: not for an async thread.
    pub fn shutdown(mut self) {
        self.end(Ending::Close);
    }

    fn end(&mut self, ending: Ending) {
        self.jobs.stop();
        for thread in self.job_threads.drain(..) {
            joined(thread);
        }
        if let Some(librarian) = self.librarian_thread.take() {
            self.librarian_mouth.stop(ending);
            joined(librarian);
        }
        for drive in &self.drive_mouths {
            drive.stop(ending);
        }
        for thread in self.drive_threads.drain(..) {
            joined(thread);
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.end(Ending::Abandon);
    }
}

fn joined(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the library ended in a panic");
    }
}

/// Everything that the threads start with.
struct Threads {
    librarian_mouth: Mouth<LibrarianRequest>,
    librarian: LibrarianActor,
    drive_mouths: Vec<DriveMouth>,
    drives: Vec<(DriveActor, Arc<Helm>)>,
    events: Events,
    jobs: Jobs,
    uuid: [u8; 16],
    store: Store,
    lending: Arc<Lending>,
    images: LibraryImages,
}

impl Threads {
    fn prepare(options: &LibraryOptions, started: Started, store: Store, events: Events, jobs: Jobs) -> Self {
        let Started { catalog, inventory, identity: library } = started;
        let clock = Clock::start();
        let calm = Arc::new(Calm::new());
        let gate = Arc::new(Gate::new(store.clone(), options.upload_buffer, events.clone()));
        let layout = options.layout;
        let drive_count = usize::from(layout.drives);
        let (librarian_mouth, librarian_inbox) =
            inbox(OPERATOR_REQUESTS + JOB_REQUESTS + NEWS_OF_A_DRIVE * drive_count);

        let (mut posts, mut drive_mouths, mut drives, mut faces) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for index in 0..layout.drives {
            let who = identity(&library.uuid, Some(index), options.target_of(&drive_suffix(index)));
            let (vendor, product) = (IBM_ULT3580_TD8.vendor, IBM_ULT3580_TD8.product);
            faces.push(smc::DriveIdentity { vendor, product, serial: who.serial.clone() });
            let serial = who.serial.clone();
            let (mouth, inbox) = inbox(DRIVE_REQUESTS);
            // One session that serves all drives must not do their work one after the other.
            let helm = Arc::new(Helm::new(Arc::clone(&calm), !options.single_target));
            let mouth = DriveMouth::new(mouth, Arc::clone(&helm));
            let gauge = Arc::new(Gauge::default());
            let row = inventory.state().places.get(&Place::Drive(index)).copied();
            let unit = Unit::new(TapeDrive::new(who), clock);
            let news = librarian_mouth.clone();
            let bay = Bay::new(store.clone(), options.cartridge, row.map(|row| row.cartridge));
            let reporter = Reporter::new(events.clone(), index);
            let thread_at_start = row.is_some_and(|row| row.threaded);
            let (gauge_of_it, gate) = (Arc::clone(&gauge), Arc::clone(&gate));
            let actor =
                DriveActor { index, inbox, unit, bay, gauge: gauge_of_it, gate, reporter, news, thread_at_start };
            drives.push((actor, helm));
            posts.push(DrivePost { mouth: mouth.clone(), gauge, serial, problem: None, adrift: None });
            drive_mouths.push(mouth);
        }
        let lent = posts.iter().map(|post| (post.mouth.clone(), Arc::clone(&post.gauge))).collect();
        let (lending, shared) = (Arc::new(Lending::new(lent)), store.clone());
        let who = identity(&library.uuid, None, options.target_of(CHANGER_SUFFIX));
        let images = Images::new(&catalog, inventory.state());
        let shown = images.subscribe();
        let librarian = LibrarianActor::new(Beginning {
            inbox: librarian_inbox,
            unit: Unit::new(MediaChanger::new(who, layout, faces), clock),
            inventory,
            catalog,
            images,
            store,
            drives: posts,
            patience: options.robot_patience,
            tape_size: options.tape_size,
            events: events.clone(),
            jobs: jobs.clone(),
        });
        let uuid = library.uuid;
        Self {
            librarian_mouth,
            librarian,
            drive_mouths,
            drives,
            events,
            jobs,
            uuid,
            store: shared,
            lending,
            images: shown,
        }
    }

    fn spawn(self, options: &LibraryOptions, state_dir: StateDir) -> Result<Library, LibraryError> {
        let Self { librarian_mouth, librarian, drive_mouths, drives, events, jobs, uuid, store, lending, images } =
            self;
        let spawned = |name: String, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name).spawn(run);
            thread.map_err(|source| LibraryError::Io {
                what: "start a thread for",
                path: options.state_dir.clone(),
                source,
            })
        };
        let handle = Librarian::new(librarian_mouth.clone(), store.clone());
        jobs.set_librarian(handle.clone());
        let mut library = Library {
            librarian: handle,
            events,
            jobs: jobs.clone(),
            job_threads: Vec::new(),
            librarian_mouth,
            drive_mouths,
            librarian_thread: None,
            drive_threads: Vec::new(),
            single_target: options.single_target,
            uuid,
            store,
            lending,
            images,
            _state_dir: state_dir,
        };
        for kind in JobKind::ALL {
            let jobs = jobs.clone();
            library.job_threads.push(spawned(kind.name().to_owned(), Box::new(move || jobs.run(kind)))?);
        }
        library.librarian_thread = Some(spawned("librarian".to_owned(), Box::new(move || librarian.run()))?);
        for (actor, helm) in drives {
            let name = drive_suffix(actor.index);
            library.drive_threads.push(spawned(name, Box::new(move || actor.run(&helm)))?);
        }
        Ok(library)
    }
}
