//! What the owner of a portal holds.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use capstan_scsi::sam::InitiatorPort;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::registry::Registry;

/// A session that exists now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionInfo {
    /// Number, unique in the life of the portal.
    pub id: u64,
    /// The initiator's name and ISID.
    pub initiator: InitiatorPort,
    /// Name of the target; `None` for a discovery session.
    pub target: Option<String>,
    /// The initiator's address.
    pub address: SocketAddr,
    /// The address that the initiator reached.
    pub portal: SocketAddr,
    /// When it logged in.
    pub since: SystemTime,
    /// Data-In sent, bytes.
    pub bytes_read: u64,
    /// Data-Out received, bytes.
    pub bytes_written: u64,
    /// SCSI commands given to logical units.
    pub commands: u64,
}

/// A running portal. Clones are the same portal; it runs on when all are dropped.
#[derive(Clone)]
pub struct PortalHandle {
    pub(crate) registry: Arc<Registry>,
    pub(crate) addresses: Arc<[SocketAddr]>,
    pub(crate) listeners: Arc<[AbortHandle]>,
    /// Yields `None` once every task of the portal is gone.
    pub(crate) all_gone: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

impl PortalHandle {
    /// The addresses that are listened at, with their real ports, in the order of the configuration.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// All sessions, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.registry.sessions()
    }

    /// Ends a session at once, after a word to the initiator; false if there is none of this number. The initiator may log in again.
    pub fn drop_session(&self, id: u64) -> bool {
        self.registry.drop_session(id)
    }

    /// Stops listening, asks initiators to log out, lets running commands end for the configured grace, and closes
    /// all connections. Returns when every nexus is lost; at once if another clone shuts down already.
    pub async fn shutdown(&self) {
        for listener in self.listeners.iter() {
            listener.abort();
        }
        self.registry.close();
        let all_gone = self.all_gone.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut all_gone) = all_gone {
            while all_gone.recv().await.is_some() {}
        }
    }
}

impl fmt::Debug for PortalHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalHandle").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
