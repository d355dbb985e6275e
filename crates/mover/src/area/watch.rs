//! The threads that try the areas, and what is known of these.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use capstan_disk::Disk;
use capstan_store::{Store, WeakStore};
use rustix::fs::{major, minor};

use super::AreaRules;
use super::condition::Condition;
use super::probe::{Failure, probe};
use super::sysfs::arrays_under;
use crate::MoverError;
use crate::notice::Listener;

/// Between two looks at what came out, at most.
const LOOK: Duration = Duration::from_secs(1);

/// Both areas. Dropped, their threads end as soon as they can.
#[derive(Debug)]
pub(crate) struct Watch {
    buffer: Arc<Area>,
    cache: Option<Arc<Area>>,
    _running: Vec<Sender<()>>,
}

/// An area.
#[derive(Debug)]
struct Area {
    /// What it is, for a person.
    name: &'static str,
    path: PathBuf,
    /// Hosts and tiers get on without it.
    is_cache: bool,
    condition: Mutex<Condition>,
    store: WeakStore,
    /// The store leaves it alone.
    resting: AtomicBool,
}

/// Tries an area again and again.
struct Watchman {
    area: Arc<Area>,
    disk: Arc<dyn Disk>,
    rules: AreaRules,
    /// The file system that was there first.
    device: Option<u64>,
    attempts: u64,
    running: Receiver<()>,
}

impl Watch {
    /// Tries both areas from now on.
    pub(crate) fn start(store: &Store, disk: &Arc<dyn Disk>, rules: &AreaRules) -> Result<Self, MoverError> {
        let mut running = Vec::new();
        let mut watch = |name: &'static str, path: &Path, is_cache| {
            let condition = Mutex::new(Condition::new(rules.hangs_after));
            let area = Arc::new(Area {
                name,
                path: path.to_owned(),
                is_cache,
                condition,
                store: store.downgrade(),
                resting: AtomicBool::new(false),
            });
            let (sender, receiver) = channel();
            running.push(sender);
            let (disk, rules) = (Arc::clone(disk), rules.clone());
            let watchman =
                Watchman { area: Arc::clone(&area), disk, rules, device: None, attempts: 0, running: receiver };
            let thread = std::thread::Builder::new().name(format!("watch {name}"));
            let started = thread.spawn(move || watchman.run());
            started.map_err(|error| MoverError::Start(format!("no thread to watch the {name}: {error}")))?;
            Ok::<_, MoverError>(area)
        };
        let buffer = watch("upload buffer", store.root(), false)?;
        let cache = store.cache_root().map(|path| watch("cache", path, true)).transpose()?;
        Ok(Self { buffer, cache, _running: running })
    }

    /// Tells what is news, for ever. Never waits for a disk.
    pub(crate) fn tell(&self, every: Duration, listener: Listener) -> impl Future<Output = ()> + use<> {
        let areas: Vec<Arc<Area>> = [&self.buffer].into_iter().chain(&self.cache).map(Arc::clone).collect();
        async move {
            let mut looks = tokio::time::interval(every.min(LOOK));
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                areas.iter().for_each(|area| area.tell(&listener));
            }
        }
    }

    /// What is wrong with the upload buffer, and how much is free on its file system.
    pub(crate) fn buffer(&self) -> (Vec<String>, Option<u64>) {
        self.buffer.view()
    }

    /// What is wrong with the cache, and how much is free on its file system.
    pub(crate) fn cache(&self) -> (Vec<String>, Option<u64>) {
        self.cache.as_ref().map(|cache| cache.view()).unwrap_or_default()
    }
}

impl Area {
    fn view(&self) -> (Vec<String>, Option<u64>) {
        let condition = self.condition();
        (condition.problems(Instant::now()), condition.free)
    }

    fn tell(&self, listener: &Listener) {
        let now = Instant::now();
        let news = {
            let mut condition = self.condition();
            // Under the lock: the thread that finds it well again goes on with it afterwards.
            if condition.failure(now).is_some_and(|failure| !failure.is_full) {
                self.rest(true);
            }
            condition.news(now)
        };
        for (kind, text) in news {
            listener.tell(kind, None, format!("{} {}: {text}", self.name, self.path.display()));
        }
    }

    /// An attempt has come to its end. Blocks on the disk if it went well.
    fn end(&self, outcome: Result<(), Failure>) {
        let is_well = outcome.is_ok();
        self.condition().end(outcome.err());
        if is_well {
            self.rest(false);
        }
    }

    /// Leaves the cache alone, or goes on with it.
    fn rest(&self, resting: bool) {
        if !self.is_cache || self.resting.swap(resting, Ordering::Relaxed) == resting {
            return;
        }
        if let Ok(store) = self.store.upgrade() {
            store.use_cache(!resting);
        }
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watchman {
    fn run(mut self) {
        loop {
            self.try_area();
            match self.running.recv_timeout(self.rules.every) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn try_area(&mut self) {
        self.area.condition().begin(Instant::now());
        self.attempts = self.attempts.wrapping_add(1);
        let outcome = self.look_beneath().map_err(Failure::from);
        let outcome = outcome.and_then(|()| probe(self.disk.as_ref(), &self.area.path, self.attempts));
        let free = self.disk.free_space(&self.area.path).ok();
        self.area.condition().free = free;
        self.area.end(outcome);
    }

    /// Looks at the arrays under the file system, which has to be the one that was there at first.
    fn look_beneath(&mut self) -> io::Result<()> {
        if let Some(device) = self.device {
            self.see_arrays(device);
        }
        let device = std::fs::metadata(&self.area.path)?.dev();
        if device != *self.device.get_or_insert(device) {
            return Err(io::Error::other(
                "another file system is there than at the start: is it not mounted any more?",
            ));
        }
        self.see_arrays(device);
        Ok(())
    }

    fn see_arrays(&self, device: u64) {
        let arrays = arrays_under(&self.rules.sysfs, (major(device), minor(device)));
        self.area.condition().saw(arrays);
    }
}
