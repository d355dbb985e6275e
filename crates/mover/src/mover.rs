//! The mover: its runtime, the tasks in it, and the way of operators to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capstan_disk::Disk;
use capstan_media::GatewayId;
use capstan_store::Store;
use capstan_tier::names::Names;
use capstan_tier::{Capability, Limits, Probe, Tier, TierError, TierErrorKind, WrappingKey};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::MoverError;
use crate::area::{AreaRules, Watch};
use crate::claims::{Claimant, Claimed, claim_path, remembered};
use crate::clock::unix_millis;
use crate::control::Control;
use crate::crew::Crew;
use crate::keeper::Keeper;
use crate::keys::Keys;
use crate::ledger::Writer;
use crate::library_state::{LibraryImages, ship_library};
use crate::link::{Link, Patience};
use crate::notice::{Listener, NoticeKind};
use crate::operations::Operations;
use crate::recall::Recaller;
use crate::room::{CacheLimits, Room};
use crate::ship::{Dock, Gifts, ShippingRules, UnderWay};

/// How long the start waits for a tier that it has not used before.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Between two looks at what has been touched, at most.
const TICK: Duration = Duration::from_millis(250);

/// Cartridges that begin at the same time: at the start all do.
const DOORS: usize = 16;

/// How long a stop waits for calls that cannot be given up.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A tier and how it is used.
#[derive(Debug)]
pub struct TierSetup {
    /// The tier.
    pub tier: Arc<dyn Tier>,
    /// What its keys are.
    pub names: Names,
    /// What it is: `dir`, `s3`.
    pub kind: String,
    /// Where it is, for a person.
    pub place: String,
    /// What wraps the keys of cartridges.
    pub wrapping_key: Option<WrappingKey>,
    /// The file that it is in, for operators to see.
    pub key_file: Option<PathBuf>,
    /// What was found out about it at the start.
    pub found: Option<Capability>,
    /// How that is found out later, where it was not.
    pub probe: Option<Arc<dyn Probe>>,
    /// How fast it may be used, and when.
    pub limits: Limits,
}

/// What the mover has to know.
#[derive(Debug)]
pub struct MoverOptions {
    /// Where cartridges are; its cache is open.
    pub store: Store,
    /// Who has the drives.
    pub keeper: Arc<dyn Keeper>,
    /// Where cartridges are shipped to.
    pub setup: TierSetup,
    /// Where the states of its library come from, if it has one.
    pub library: Option<LibraryImages>,
    /// This gateway.
    pub gateway: GatewayId,
    /// Its name.
    pub gateway_name: String,
    /// A directory of the mover's own, made if it is missing.
    pub state_dir: PathBuf,
    /// The disk with that directory.
    pub disk: Arc<dyn Disk>,
    /// Bytes that the upload buffer may have, for operators to see.
    pub buffer_size: u64,
    /// Sizes of the cache.
    pub cache: CacheLimits,
    /// How both are watched.
    pub areas: AreaRules,
    /// How shipping goes about it.
    pub rules: ShippingRules,
    /// How patient calls are.
    pub patience: Patience,
    /// Who is told what happens.
    pub listener: Listener,
}

/// A running mover.
#[derive(Debug)]
pub struct Mover {
    control: Arc<Control>,
    runtime: Option<Runtime>,
}

impl Mover {
    /// Whether a gateway with this directory of the mover's has used a tier of that name.
    ///
    /// # Errors
    /// The disk failed.
    pub fn has_used(state_dir: &Path, tier: &str, disk: &dyn Disk) -> Result<bool, MoverError> {
        Ok(remembered(disk, &claim_path(state_dir, tier))?.is_some())
    }

    /// Starts. From now on the store recalls what was evicted.
    ///
    /// Blocks: not for an async thread.
    ///
    /// # Errors
    /// The tier is another gateway's of the same name, or there is no runtime, or the disk failed.
    pub fn start(options: MoverOptions) -> Result<Self, MoverError> {
        let MoverOptions { store, setup, state_dir, disk, listener, rules, .. } = options;
        make_directory(disk.as_ref(), &state_dir)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("mover")
            .enable_all()
            .build()
            .map_err(|error| MoverError::Start(format!("no threads for the mover: {error}")))?;
        let claimant =
            Claimant { gateway: options.gateway, name: options.gateway_name, state_dir, disk: Arc::clone(&disk) };
        let paused = claimant.is_paused(setup.tier.name())?;
        let link = Arc::new(Link::new(Arc::clone(&setup.tier), options.patience, listener.clone(), paused));
        let confirmed = claimant.confirmed_key(setup.tier.name())?;
        let keys = Arc::new(Keys::new(setup.wrapping_key, setup.key_file, confirmed));
        let room = Room::new(&store, options.cache);
        let recaller = Recaller::new(
            &store,
            Arc::clone(&link),
            setup.names.clone(),
            Arc::clone(&keys),
            room.clone(),
            runtime.handle().clone(),
            listener.clone(),
        );
        store.set_recall(Arc::new(recaller.clone()));
        let found = setup.found.clone().unwrap_or_default();
        let dock = Arc::new(Dock {
            store,
            keeper: options.keeper,
            link,
            names: setup.names,
            keys,
            room,
            writer: Writer { gateway: options.gateway, epoch: unix_millis() },
            claimant,
            listener,
            rules,
            read_back: AtomicBool::new(rules.read_back || found.read_back),
            ready: AtomicBool::new(false),
            uploads: Arc::new(Semaphore::new(rules.parallel)),
            doors: Semaphore::new(DOORS),
            under_way: UnderWay::default(),
            fenced: Mutex::default(),
            gifts: Gifts::default(),
            board: Mutex::default(),
            probe: setup.probe.filter(|_| setup.found.is_none()),
            notes: Mutex::new(found.notes),
            limits: setup.limits,
        });
        dock.apply_limits();
        if remembered(disk.as_ref(), &dock.claimant.path(dock.link.tier.name()))?.is_none() {
            runtime.block_on(first_use(&dock))?;
        }
        let watch = Watch::start(&dock.store, &disk, &options.areas)?;
        runtime.spawn(watch.tell(options.areas.every, dock.listener.clone()));
        runtime.spawn(supervise(Arc::clone(&dock)));
        if let Some(images) = options.library {
            runtime.spawn(ship_library(Arc::clone(&dock), images));
        }
        runtime.spawn(Arc::clone(&dock).forget_in_time());
        let control = Control::new(dock, recaller, (setup.kind, setup.place), options.buffer_size, watch);
        Ok(Self { control: Arc::new(control), runtime: Some(runtime) })
    }

    /// The way of operators.
    #[must_use]
    pub fn operations(&self) -> Arc<dyn Operations> {
        Arc::clone(&self.control) as Arc<dyn Operations>
    }

    /// What operators ask, and tests.
    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// Stops: what is on its way is given up, and found again by the next start.
    ///
    /// Blocks: not for an async thread.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        match tokio::runtime::Handle::try_current() {
            // Dropped in a task, by a start that goes no further: nobody may wait here.
            Ok(_) => runtime.shutdown_background(),
            Err(_) => runtime.shutdown_timeout(STOP_PATIENCE),
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn make_directory(disk: &dyn Disk, path: &Path) -> Result<(), MoverError> {
    match disk.create_directory(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(MoverError::Start(format!("cannot create {}: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Finds out what the tier does, and whether it is the right one.
async fn enter(dock: &Dock) -> Result<Claimed, MoverError> {
    if let Some(probe) = &dock.probe {
        // It asks for several small things.
        let limit = dock.link.answer().saturating_mul(8);
        let found = dock.link.insist("probe", || async {
            timeout(limit, probe.probe()).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} s", limit.as_secs_f32());
                Err(TierError::new(TierErrorKind::Unavailable, "probe", dock.link.tier.name(), message))
            })
        });
        let found = found.await?;
        dock.read_back.fetch_or(found.read_back, Ordering::Relaxed);
        *dock.notes() = found.notes;
    }
    dock.claimant.claim_tier(&dock.link, &dock.names, dock.reads_back()).await
}

/// A tier that was never used is looked at before anything else is: another gateway's name is a reason not to start.
async fn first_use(dock: &Arc<Dock>) -> Result<(), MoverError> {
    match timeout(FIRST_ANSWER, enter(dock)).await {
        Ok(Ok(Claimed::Ours)) => {
            dock.ready.store(true, Ordering::Release);
            Ok(())
        }
        Ok(Ok(Claimed::Refused(why))) => {
            Err(MoverError::Start(format!("tier {} is not used: {why}", dock.link.tier.name())))
        }
        Ok(Err(MoverError::Tier(error))) => {
            Err(MoverError::Start(format!("tier {} cannot be used: {error}", dock.link.tier.name())))
        }
        Ok(Err(error)) => Err(error),
        // It is away: the library goes on without it for now.
        Err(_) => Ok(()),
    }
}

/// Makes sure that the tier is the right one, then lets tapes go.
async fn supervise(dock: Arc<Dock>) {
    let mut crew = Crew::new(Arc::clone(&dock));
    try_keys(&dock);
    let claiming = tokio::spawn(claim(Arc::clone(&dock)));
    let mut ticks = interval(dock.rules.look_every.min(TICK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        crew.look();
        if claiming.is_finished() && dock.may_ship() {
            crew.scrub_in_time();
        }
    }
}

/// Says which cartridges cannot be opened with the key that is configured.
fn try_keys(dock: &Arc<Dock>) {
    let dock = Arc::clone(dock);
    tokio::task::spawn_blocking(move || {
        if let Some(closed) = dock.keys.try_all(&dock.store) {
            dock.listener.tell(NoticeKind::NotShipped, None, closed);
        }
    });
}

async fn claim(dock: Arc<Dock>) {
    while !dock.ready.load(Ordering::Acquire) {
        match enter(&dock).await {
            Ok(Claimed::Ours) => dock.ready.store(true, Ordering::Release),
            Ok(Claimed::Refused(why)) => return dock.link.refuse(&why),
            Err(error) => {
                tracing::warn!(%error, "the tier cannot be used yet");
                tokio::time::sleep(dock.rules.try_again).await;
            }
        }
    }
}
