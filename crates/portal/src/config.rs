//! What a portal is told.

use std::net::SocketAddr;
use std::time::Duration;

use capstan_iscsi::target::Config;

use crate::initiators::Initiators;

/// Where to listen and what to allow.
#[derive(Clone, Debug)]
pub struct PortalConfig {
    /// Addresses; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Who may log in.
    pub initiators: Initiators,
    /// Sessions at the same time, discovery sessions included. A login beyond is refused (out of resources).
    pub max_sessions: usize,
    /// Connections that are not logged in yet. One beyond takes the place of the oldest, which is
    /// closed; and one host has a quarter of them, but 64 at least, before it takes its own places.
    pub max_half_open: usize,
    /// At shutdown: how long running commands may take to end.
    pub grace: Duration,
    /// Limits of each session.
    pub session: Config,
}

impl PortalConfig {
    /// The usual limits, at these addresses.
    #[must_use]
    pub fn new(listen: Vec<SocketAddr>) -> Self {
        Self {
            listen,
            initiators: Initiators::default(),
            max_sessions: 256,
            max_half_open: 1024,
            grace: Duration::from_secs(5),
            session: Config::default(),
        }
    }
}
