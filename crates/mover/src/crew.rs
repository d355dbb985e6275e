//! The tasks of cartridges: who gets one, and how many objects all of them may have on their way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use capstan_media::CartridgeId;
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::link::Link;
use crate::ship::{Dock, Ended, TapeTask};

/// Between two scrubs of the tier.
const SCRUB_EVERY: Duration = Duration::from_secs(6 * 3600);

/// Age at which an object that is nobody's is deleted.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);

/// The tasks.
pub(crate) struct Crew {
    dock: Arc<Dock>,
    tasks: JoinSet<Ended>,
    busy: HashMap<Id, CartridgeId>,
    /// Unloaded cartridges that wait until something may be shipped.
    parked: HashSet<CartridgeId>,
    /// Touched while their task was at work.
    again: HashSet<CartridgeId>,
    lanes: Lanes,
    scrubbed: Instant,
    scrubbing: Option<JoinHandle<()>>,
}

impl Crew {
    pub(crate) fn new(dock: Arc<Dock>) -> Self {
        let again = dock.store.list().unwrap_or_else(|error| {
            tracing::error!(%error, "cartridges are shipped once they are used");
            Vec::new()
        });
        let lanes = Lanes::new(&dock);
        Self {
            dock,
            tasks: JoinSet::new(),
            busy: HashMap::new(),
            parked: HashSet::new(),
            again: again.into_iter().collect(),
            lanes,
            scrubbed: Instant::now(),
            scrubbing: None,
        }
    }

    /// A task has ended.
    fn note(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (task, ended) = match ended {
            Ok((task, ended)) => (task, Some(ended)),
            Err(error) => {
                tracing::error!(%error, "a task of the mover has failed; its cartridge gets another");
                (error.id(), None)
            }
        };
        let Some(id) = self.busy.remove(&task) else { return };
        match ended {
            Some(Ended::Done) => {}
            Some(Ended::Parked) => drop(self.parked.insert(id)),
            None => drop(self.again.insert(id)),
        }
    }

    /// Gives every cartridge that was touched a task.
    pub(crate) fn look(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.note(ended);
        }
        self.again.extend(self.dock.store.take_touched());
        if self.dock.may_ship() {
            self.again.extend(self.parked.drain());
        }
        let busy: HashSet<CartridgeId> = self.busy.values().copied().collect();
        let free: Vec<CartridgeId> = self.again.difference(&busy).copied().collect();
        for id in free {
            self.again.remove(&id);
            self.parked.remove(&id);
            let task = self.tasks.spawn(TapeTask::new(Arc::clone(&self.dock), id).run());
            self.busy.insert(task.id(), id);
        }
        self.lanes.adapt();
        self.dock.apply_limits();
    }

    pub(crate) fn scrub_in_time(&mut self) {
        if self.scrubbed.elapsed() < SCRUB_EVERY || self.scrubbing.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        self.scrubbed = Instant::now();
        let dock = Arc::clone(&self.dock);
        self.scrubbing = Some(tokio::spawn(async move {
            match dock.scrub(ORPHAN_AGE).await {
                Ok(found) => tracing::info!(?found, "scrubbed"),
                Err(error) => tracing::warn!(%error, "the tier was not scrubbed"),
            }
        }));
    }
}

/// How many objects are on their way at the same time: fewer after the tier asked for it, more again as it is content.
struct Lanes {
    uploads: Arc<Semaphore>,
    link: Arc<Link>,
    most: usize,
    now: usize,
    throttled: u64,
    changed: Instant,
}

/// Between two changes.
const LANE_PAUSE: Duration = Duration::from_secs(5);

impl Lanes {
    fn new(dock: &Dock) -> Self {
        let most = dock.rules.parallel;
        let (uploads, link) = (Arc::clone(&dock.uploads), Arc::clone(&dock.link));
        Self { uploads, link, most, now: most, throttled: 0, changed: Instant::now() }
    }

    fn adapt(&mut self) {
        if self.changed.elapsed() < LANE_PAUSE {
            return;
        }
        self.changed = Instant::now();
        let throttled = self.link.throttled();
        if throttled > self.throttled && self.now > 1 {
            let less = self.uploads.forget_permits(self.now / 2);
            self.now = self.now.saturating_sub(less).max(1);
        } else if throttled == self.throttled && self.now < self.most {
            self.uploads.add_permits(1);
            self.now = self.now.saturating_add(1);
        }
        self.throttled = throttled;
    }
}
