//! `capstan serve`: the library, its portal and its admin socket, from start to stop.
//!
//! Order of the start: the library first (it locks the state directory, so a second daemon goes no further), then the
//! portal, then the admin socket. Order of the stop: no new sessions, the sessions end, the cartridges are closed.

mod access;
mod banner;
mod files;
mod logging;
mod namesake;
mod shipping;
mod signals;
mod tiers;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_admin::{Admin, Facts};
use capstan_api::Target;
use capstan_disk::RealDisk;
use capstan_library::{CHANGER_SUFFIX, FirstStart, Library, LibraryError, LibraryOptions, UploadBuffer, l700_layout};
use capstan_media::GatewayId;
use capstan_mover::Mover;
use capstan_portal::{PortalConfig, PortalHandle};
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::commands::version::VERSION;
use crate::config::{Config, TargetLayout};
use crate::failure::{Exit, Failure};
use crate::{daemon, output};
use banner::Banner;
pub(crate) use tiers::OpenedTier;

/// How many cartridges the first start makes.
const FIRST_TAPES: u16 = 10;

/// How long an admin connection may keep a stop waiting.
const ADMIN_PATIENCE: Duration = Duration::from_secs(2);

/// Runs until it is asked to stop.
///
/// # Errors
/// What keeps it from starting, or from stopping cleanly.
pub(crate) async fn run(config: Config, json: bool) -> Result<(), Failure> {
    logging::begin(&config.log).map_err(|error| Failure::failed(format!("no log: {error}")))?;
    let asked_to_stop = signals::listen().map_err(|error| Failure::failed(format!("no signals: {error}")))?;
    files::raise_limit();
    let running = Running::start(config).await?;
    let banner = running.banner().await?;
    if json {
        output::json_line(&banner);
    } else {
        output::print(&banner.text());
    }
    info!(version = VERSION, portal = ?banner.portal, state = %banner.state_dir.display(), "started");

    let signal = asked_to_stop.await.unwrap_or("nobody");
    info!(signal, "stopping: sessions end, cartridges are closed");
    running.stop().await?;
    info!("stopped: everything is on disk");
    Ok(())
}

/// A started daemon.
struct Running {
    config: Config,
    library: Library,
    mover: Mover,
    portal: PortalHandle,
    targets: Vec<Target>,
    first_start: bool,
    admin: tokio::task::JoinHandle<std::io::Result<()>>,
    stop_admin: oneshot::Sender<()>,
}

impl Running {
    async fn start(config: Config) -> Result<Self, Failure> {
        let first_start = is_empty(&config.gateway.state_dir);
        namesake::refuse(&config).await?;
        let areas = {
            let config = config.clone();
            let areas = tokio::task::spawn_blocking(move || shipping::areas(&config)).await;
            areas.map_err(|error| Failure::failed(error.to_string()))?
        };
        let buffer = UploadBuffer { size: areas.buffer.size, stall_limit: config.upload_buffer.stall_limit };
        let options = LibraryOptions {
            upload_buffer: Some(buffer),
            cartridge: shipping::segments(areas.buffer.size, config.library.keep_versions.is_some()),
            ..library_options(&config)
        };
        let library = {
            let options = options.clone();
            let started = tokio::task::spawn_blocking(move || Library::start(&options, Arc::new(RealDisk))).await;
            started.map_err(|error| Failure::failed(error.to_string()))?.map_err(|error| refused(&error))?
        };
        let mover = shipping::start(&config, &areas, &library).await?;
        library.set_operations(mover.operations());
        let (targets, portal) = start_portal(&config, &options, &library).await?;
        let admin = Admin {
            librarian: library.librarian(),
            events: library.events(),
            jobs: library.jobs(),
            operations: Some(mover.operations()),
            images: library.images(),
            portal: portal.clone(),
            facts: Arc::new(Facts {
                version: VERSION.to_owned(),
                gateway: config.gateway.name.clone(),
                library: GatewayId(library.uuid()).to_string(),
                configuration: config.portable(),
                state_dir: config.gateway.state_dir.clone(),
                started: Instant::now(),
                max_sessions: u64::from(config.iscsi.max_sessions),
                drives: drive_addresses(&config, &targets),
                targets: targets.clone(),
            }),
        };
        let (stop_admin, stopped) = oneshot::channel::<()>();
        let listener = bind(&config.socket()).await?;
        let admin = tokio::spawn(capstan_admin::serve(listener, admin.router(), async {
            let _ = stopped.await;
        }));
        Ok(Self { config, library, mover, portal, targets, first_start, admin, stop_admin })
    }

    async fn banner(&self) -> Result<Banner, Failure> {
        let statistics = self.library.librarian().statistics().await.map_err(|error| refused(&error))?;
        let state_dir = self.config.gateway.state_dir.clone();
        let socket = self.config.socket();
        let system = rustix::fs::statvfs(&state_dir);
        Ok(Banner {
            first_start: self.first_start,
            portal: self.portal.local_addrs().to_vec(),
            initiators: self.config.iscsi.initiators.len(),
            without_chap: self.config.iscsi.initiators.iter().filter(|each| each.chap.is_none()).count(),
            targets: self.targets.iter().map(|target| target.name.clone()).collect(),
            drives: usize::from(self.config.library.drives),
            tapes: statistics.tapes_by_state.iter().map(|(_, number)| number).sum(),
            capacity: statistics.capacity,
            used: statistics.used,
            free: system.map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize)),
            usual_socket: daemon::is_usual(&socket),
            admin_socket: socket,
            state_dir,
        })
    }

    async fn stop(self) -> Result<(), Failure> {
        self.portal.shutdown().await;
        let _ = self.stop_admin.send(());
        let admin = self.admin.abort_handle();
        match tokio::time::timeout(ADMIN_PATIENCE, self.admin).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => warn!(%error, "the admin socket failed"),
            Ok(Err(error)) => warn!(%error, "the admin server failed"),
            Err(_) => admin.abort(),
        }
        let _ = std::fs::remove_file(self.config.socket());
        let (library, mover) = (self.library, self.mover);
        let ended = move || {
            library.shutdown();
            // What was closed just now is found by the next start.
            mover.stop();
        };
        tokio::task::spawn_blocking(ended)
            .await
            .map_err(|error| Failure::failed("the library did not stop cleanly").why(error.to_string()))
    }
}

/// Nothing is there yet; systemd makes the directory before the daemon starts.
fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_none())
}

/// The tier, as it is found by who has lost everything else. `probed`: it is going to be written to.
///
/// # Errors
/// It cannot be used as it is configured.
pub(crate) async fn reach_tier(config: &Config, probed: bool) -> Result<OpenedTier, Failure> {
    tiers::reach(&config.tier(), &config.buffer_path(), probed).await
}

/// What the configuration makes of a library.
pub(crate) fn library_options(config: &Config) -> LibraryOptions {
    let library = &config.library;
    LibraryOptions {
        gateway: config.gateway.name.clone(),
        single_target: config.iscsi.layout == TargetLayout::SingleTarget,
        layout: l700_layout(library.drives, library.slots, library.io_slots),
        cartridge_dir: Some(config.buffer_path()),
        cache_dir: Some(config.cache_path()),
        tape_size: config.tape_size().0,
        first_start: FirstStart {
            count: FIRST_TAPES.min(library.slots),
            size: config.first_tape_size().0,
            ..LibraryOptions::new(config.gateway.state_dir.clone()).first_start
        },
        ..LibraryOptions::new(config.gateway.state_dir.clone())
    }
}

async fn start_portal(
    config: &Config,
    options: &LibraryOptions,
    library: &Library,
) -> Result<(Vec<Target>, PortalHandle), Failure> {
    let mut targets = Vec::new();
    let mut served = Vec::new();
    for (suffix, router) in library.routers(access::to_devices(config).as_ref()) {
        let name = options.target_name(&suffix);
        targets.push(Target { name: name.clone(), device: device(&suffix) });
        served.push(capstan_portal::Target { name, router, access: access::to_target(config, &suffix) });
    }
    let mut portal = PortalConfig {
        initiators: access::initiators(config),
        max_sessions: usize::try_from(config.iscsi.max_sessions).unwrap_or(usize::MAX),
        ..PortalConfig::new(config.iscsi.listen.clone())
    };
    portal.session.wishes.header_digest = access::digests(config);
    portal.session.wishes.data_digest = access::digests(config);
    let portal = capstan_portal::start(portal, served).await.map_err(|error| {
        Failure::failed("the portal cannot be opened")
            .why(error.to_string())
            .next("stop what listens there, or choose another address with --listen")
    })?;
    Ok((targets, portal))
}

/// What is behind a target, as `status` says it.
fn device(suffix: &str) -> String {
    match suffix.strip_prefix("drive-").and_then(|number| number.parse::<u16>().ok()) {
        Some(number) => format!("drive:{number}"),
        None if suffix == CHANGER_SUFFIX => "changer".to_owned(),
        None => "library".to_owned(),
    }
}

/// Target and logical unit number of each drive.
fn drive_addresses(config: &Config, targets: &[Target]) -> Vec<(String, u16)> {
    let name = |index: usize| targets.get(index).map(|target| target.name.clone()).unwrap_or_default();
    match config.iscsi.layout {
        TargetLayout::SingleTarget => (1..=config.library.drives).map(|lun| (name(0), lun)).collect(),
        TargetLayout::TargetPerDevice => targets
            .iter()
            .filter(|target| target.device.starts_with("drive:"))
            .map(|target| (target.name.clone(), 0))
            .collect(),
    }
}

async fn bind(socket: &Path) -> Result<tokio::net::UnixListener, Failure> {
    let cannot = |why: String| {
        Failure::failed("the admin socket cannot be made")
            .why(why)
            .next("name another with [admin] socket in the configuration")
    };
    if let Some(parent) = socket.parent() {
        std::fs::create_dir_all(parent).map_err(|error| cannot(format!("{}: {error}", parent.display())))?;
    }
    capstan_admin::bind(socket).await.map_err(|error| cannot(error.to_string()))
}

fn refused(error: &LibraryError) -> Failure {
    let exit = match error.kind() {
        capstan_library::ErrorKind::Refused => Exit::Refused,
        capstan_library::ErrorKind::Invalid => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, "the library cannot be started").why(error.to_string()).next(error.next())
}
