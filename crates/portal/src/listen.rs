//! Starting a portal, and accepting connections.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::config::PortalConfig;
use crate::connection::ConnectionTask;
use crate::guesses::Guesses;
use crate::handle::PortalHandle;
use crate::host::Host;
use crate::registry::{Ends, Registry};
use crate::target::Target;
use crate::thread;

/// Pause after a connection could not be accepted, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why a portal could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Two targets have the same name.
    #[error("two targets are named {0:?}")]
    DuplicateTarget(String),
    /// An initiator is listed twice.
    #[error("initiator {0:?} is listed twice: names do not differ by case")]
    DuplicateInitiator(String),
    /// What the portal proves is also what an initiator proves.
    #[error(
        "the mutual secret of initiator {mutual:?} is the secret of initiator {own:?}: who can check the portal could \
         log in as that initiator; give each direction its own"
    )]
    SameSecret {
        /// Whose mutual secret it is.
        mutual: String,
        /// Whose own it is.
        own: String,
    },
    /// A mutual secret where the initiator has none.
    #[error("initiator {0:?} has a mutual secret but none of its own: give it one")]
    MutualAlone(String),
}

/// What all connections of a portal share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: PortalConfig,
    pub(crate) session: Arc<capstan_iscsi::target::Config>,
    pub(crate) targets: Vec<Target>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) guesses: Guesses,
}

/// Listens at all addresses and serves the targets, on the runtime that this is called in.
///
/// # Errors
/// An address cannot be listened at, a name is there twice, or the secrets of an initiator cannot work.
pub async fn start(config: PortalConfig, targets: Vec<Target>) -> Result<PortalHandle, PortalError> {
    let mut names = HashSet::new();
    if let Some(twice) = targets.iter().find(|target| !names.insert(target.name.to_ascii_lowercase())) {
        return Err(PortalError::DuplicateTarget(twice.name.clone()));
    }
    config.initiators.check()?;
    let mut sockets = Vec::new();
    let mut addresses = Vec::new();
    for address in config.listen.iter().copied() {
        let wrap = |source| PortalError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(wrap)?;
        addresses.push(socket.local_addr().map_err(wrap)?);
        sockets.push(socket);
    }
    let registry = Arc::new(Registry::new(config.max_sessions, config.max_half_open));
    let session = Arc::new(config.session.clone());
    let shared =
        Arc::new(Shared { config, session, targets, registry: Arc::clone(&registry), guesses: Guesses::default() });
    let (alive, all_gone) = mpsc::channel(1);
    let listeners: Vec<_> = sockets
        .into_iter()
        .map(|socket| tokio::spawn(accept(alive.clone(), Arc::clone(&shared), socket)).abort_handle())
        .collect();
    Ok(PortalHandle {
        registry,
        addresses: addresses.into(),
        listeners: listeners.into(),
        all_gone: Arc::new(Mutex::new(Some(all_gone))),
    })
}

/// `alive` comes first so that it is dropped last: who waits for it finds the socket closed.
async fn accept(alive: mpsc::Sender<()>, shared: Arc<Shared>, socket: TcpListener) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => connect(stream, peer, &shared, &alive),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Starts the task of a connection, or closes it if the portal shuts down.
fn connect(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>, alive: &mpsc::Sender<()>) {
    let Ok(portal) = stream.local_addr() else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    let (sender, messages) = mpsc::unbounded_channel();
    let Some(id) = shared.registry.connect(Host::of(peer), sender.clone()) else { return };
    let task = ConnectionTask::new(stream, Ends { id, peer, portal }, Arc::clone(shared), sender, messages);
    let alive = alive.clone();
    tokio::spawn(async move {
        if let Some(task) = task.log_in().await {
            thread::run(task, alive);
        }
    });
}
