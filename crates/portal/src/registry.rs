//! All connections and sessions of a portal.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::target::{Identity, Statistics};
use capstan_scsi::sam::{InitiatorPort, NexusId};
use tokio::sync::mpsc::UnboundedSender;

use crate::handle::SessionInfo;
use crate::host::Host;
use crate::nexus::{NexusKey, NexusTable};
use crate::observer::Message;

/// Connections that are not logged in which each host may have.
const HALF_OPEN_OF_HOST: usize = 64;

/// Too many of them are told about once in this time.
const WARNING: Duration = Duration::from_secs(60);

/// Shared by all tasks of a portal; each call locks it for a moment.
#[derive(Debug)]
pub(crate) struct Registry {
    max_sessions: usize,
    max_half_open: usize,
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    closing: bool,
    last_id: u64,
    last_tsih: u16,
    connections: HashMap<u64, UnboundedSender<Message>>,
    /// Those that are not logged in, the oldest first.
    half_open: BTreeMap<u64, HalfOpen>,
    /// When it was told last that there are too many of these.
    warned: Option<Instant>,
    sessions: HashMap<u64, Session>,
    by_nexus: HashMap<NexusKey, u64>,
    nexuses: NexusTable,
}

/// A connection that is not logged in.
#[derive(Debug)]
struct HalfOpen {
    host: Host,
    /// What it was asked to prove with.
    challenge: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Session {
    tsih: u16,
    initiator: InitiatorPort,
    /// `None`: a discovery session.
    target: Option<String>,
    peer: SocketAddr,
    portal: SocketAddr,
    since: SystemTime,
    counters: Arc<Counters>,
    /// Who wants to take its place.
    waiters: Vec<UnboundedSender<Message>>,
}

/// Figures of a session that others may read at any time.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    commands: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Counters {
    pub(crate) fn publish(&self, statistics: Statistics) {
        self.commands.store(statistics.commands, Ordering::Relaxed);
        self.bytes_read.store(statistics.data_in_bytes, Ordering::Relaxed);
        self.bytes_written.store(statistics.data_out_bytes, Ordering::Relaxed);
    }
}

/// Who a connection is with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) portal: SocketAddr,
}

/// What came of the wish for a session.
pub(crate) enum Claim {
    /// It is there.
    Granted { tsih: u16, nexus: Option<NexusId>, counters: Arc<Counters> },
    /// An older session of the same port was told to end; [`Message::Retry`] says when it has.
    Wait,
    /// It cannot be.
    Refused(LoginStatus),
}

impl Registry {
    pub(crate) fn new(max_sessions: usize, max_half_open: usize) -> Self {
        Self { max_sessions, max_half_open, tables: Mutex::default() }
    }

    /// Takes in a new connection; `None` while the portal closes. Where there are too many that are not logged in, of
    /// this host or of all, the oldest of them is told to end: silence must not keep out who has something to say.
    pub(crate) fn connect(&self, host: Host, sender: UnboundedSender<Message>) -> Option<u64> {
        let mut tables = self.lock();
        if tables.closing {
            return None;
        }
        let of_host = tables.half_open.iter().filter(|(_, other)| other.host == host);
        let (count, oldest) = of_host.fold((0, None), |(count, oldest), (id, _)| (count + 1, oldest.or(Some(*id))));
        if count >= self.max_half_open.div_ceil(4).max(HALF_OPEN_OF_HOST) {
            tables.evict(oldest);
        } else if tables.half_open.len() >= self.max_half_open {
            let oldest = tables.half_open.keys().next().copied();
            tables.evict(oldest);
        }
        tables.last_id += 1;
        let id = tables.last_id;
        tables.connections.insert(id, sender);
        tables.half_open.insert(id, HalfOpen { host, challenge: None });
        Some(id)
    }

    /// A connection is asked to prove something; false if it was told to end.
    pub(crate) fn challenge(&self, id: u64, challenge: Vec<u8>) -> bool {
        let mut tables = self.lock();
        let Some(login) = tables.half_open.get_mut(&id) else { return false };
        login.challenge = Some(challenge);
        true
    }

    /// Whether these bytes are the challenge of a login that is under way.
    pub(crate) fn gave_out(&self, challenge: &[u8]) -> bool {
        self.lock().half_open.values().any(|login| login.challenge.as_deref() == Some(challenge))
    }

    /// A connection is gone, and its session with it.
    pub(crate) fn disconnect(&self, id: u64) {
        let mut tables = self.lock();
        tables.connections.remove(&id);
        tables.half_open.remove(&id);
        let Some(session) = tables.sessions.remove(&id) else { return };
        if let Some(target) = session.target {
            tables.by_nexus.remove(&(session.initiator, target));
        }
        for waiter in session.waiters {
            let _ = waiter.send(Message::Retry);
        }
    }

    /// Whether a login may go on. A TSIH asks to join a session, which has no second connection to give.
    pub(crate) fn admit(&self, identity: &Identity, initiator: &InitiatorPort) -> Result<(), LoginStatus> {
        let tables = self.lock();
        if tables.closing {
            return Err(LoginStatus::SERVICE_UNAVAILABLE);
        }
        match identity.tsih {
            0 => Ok(()),
            tsih if tables.sessions.values().any(|other| other.tsih == tsih && other.initiator == *initiator) => {
                Err(LoginStatus::TOO_MANY_CONNECTIONS)
            }
            _ => Err(LoginStatus::SESSION_DOES_NOT_EXIST),
        }
    }

    /// Makes a session, in the place of an older one of the same port with the same target. [RFC 7143 6.3.5]
    pub(crate) fn claim(&self, ends: Ends, initiator: &InitiatorPort, target: Option<&str>) -> Claim {
        let mut guard = self.lock();
        let tables = &mut *guard;
        if tables.closing {
            return Claim::Refused(LoginStatus::SERVICE_UNAVAILABLE);
        }
        if !tables.half_open.contains_key(&ends.id) {
            return Claim::Refused(LoginStatus::SERVICE_UNAVAILABLE);
        }
        let key = target.map(|target| (initiator.clone(), target.to_owned()));
        if let Some(old) = key.as_ref().and_then(|key| tables.by_nexus.get(key)).copied()
            && let Some(own) = tables.connections.get(&ends.id).cloned()
            && let Some(session) = tables.sessions.get_mut(&old)
        {
            session.waiters.push(own);
            if let Some(sender) = tables.connections.get(&old) {
                let _ = sender.send(Message::Drop);
            }
            return Claim::Wait;
        }
        if tables.sessions.len() >= self.max_sessions {
            return Claim::Refused(LoginStatus::OUT_OF_RESOURCES);
        }
        let Some(tsih) = tables.free_tsih() else { return Claim::Refused(LoginStatus::OUT_OF_RESOURCES) };
        let by_nexus = &tables.by_nexus;
        let nexus = key.as_ref().map(|key| tables.nexuses.number(key, |other| by_nexus.contains_key(other)));
        if let Some(key) = key {
            tables.by_nexus.insert(key, ends.id);
        }
        let counters = Arc::new(Counters::default());
        let session = Session {
            tsih,
            initiator: initiator.clone(),
            target: target.map(str::to_owned),
            peer: ends.peer,
            portal: ends.portal,
            since: SystemTime::now(),
            counters: Arc::clone(&counters),
            waiters: Vec::new(),
        };
        tables.sessions.insert(ends.id, session);
        tables.half_open.remove(&ends.id);
        Claim::Granted { tsih, nexus, counters }
    }

    pub(crate) fn sessions(&self) -> Vec<SessionInfo> {
        let tables = self.lock();
        let mut sessions: Vec<_> = tables.sessions.iter().map(|(id, session)| session.info(*id)).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// Tells a session to end; false if there is none of this number.
    pub(crate) fn drop_session(&self, id: u64) -> bool {
        let tables = self.lock();
        let sender = tables.sessions.get(&id).and_then(|_| tables.connections.get(&id));
        sender.is_some_and(|sender| sender.send(Message::Leave).is_ok())
    }

    /// Tells all sessions with a target to end, but for one.
    pub(crate) fn drop_others(&self, target: &str, except: u64) {
        let tables = self.lock();
        let others =
            tables.sessions.iter().filter(|(id, other)| **id != except && other.target.as_deref() == Some(target));
        for sender in others.filter_map(|(id, _)| tables.connections.get(id)) {
            let _ = sender.send(Message::Leave);
        }
    }

    /// No more connections and sessions; tells all to end.
    pub(crate) fn close(&self) {
        let mut tables = self.lock();
        tables.closing = true;
        for sender in tables.connections.values() {
            let _ = sender.send(Message::Shutdown);
        }
    }

    /// The tables are consistent between any two calls, so a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// Tells a connection that is not logged in to end, and counts it no more.
    fn evict(&mut self, id: Option<u64>) {
        let Some(id) = id else { return };
        let host = self.half_open.remove(&id).map(|login| login.host);
        if let Some(sender) = self.connections.get(&id) {
            let _ = sender.send(Message::Drop);
        }
        let now = Instant::now();
        if self.warned.is_none_or(|warned| now.saturating_duration_since(warned) >= WARNING) {
            self.warned = Some(now);
            tracing::warn!(?host, "too many connections that do not log in: the oldest are closed");
        }
    }

    /// A TSIH that no session has; never 0.
    fn free_tsih(&mut self) -> Option<u16> {
        for _ in 0..=u16::MAX {
            self.last_tsih = self.last_tsih.wrapping_add(1).max(1);
            let tsih = self.last_tsih;
            if self.sessions.values().all(|session| session.tsih != tsih) {
                return Some(tsih);
            }
        }
        None
    }
}

impl Session {
    fn info(&self, id: u64) -> SessionInfo {
        SessionInfo {
            id,
            initiator: self.initiator.clone(),
            target: self.target.clone(),
            address: self.peer,
            portal: self.portal,
            since: self.since,
            bytes_read: self.counters.bytes_read.load(Ordering::Relaxed),
            bytes_written: self.counters.bytes_written.load(Ordering::Relaxed),
            commands: self.counters.commands.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
impl Registry {
    /// Rows of the tables: connections, of these not logged in, sessions, nexuses in use.
    pub(crate) fn rows(&self) -> [usize; 4] {
        let tables = self.lock();
        [tables.connections.len(), tables.half_open.len(), tables.sessions.len(), tables.by_nexus.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn host(last: u8) -> Host {
        Host::of(([192, 0, 2, last], 1).into())
    }

    fn connect(registry: &Registry, last: u8) -> (u64, UnboundedReceiver<Message>) {
        let (sender, receiver) = unbounded_channel();
        (registry.connect(host(last), sender).unwrap(), receiver)
    }

    fn is_evicted(receiver: &mut UnboundedReceiver<Message>) -> bool {
        matches!(receiver.try_recv(), Ok(Message::Drop))
    }

    #[test]
    fn a_host_takes_its_own_places() {
        let registry = Registry::new(10, 400);
        let mut other = connect(&registry, 2);
        let mut greedy: Vec<_> = (0..250).map(|_| connect(&registry, 1)).collect();
        let evicted: Vec<_> = greedy.iter_mut().map(|(_, receiver)| is_evicted(receiver)).collect();
        assert!(evicted[..150].iter().all(|evicted| *evicted) && evicted[150..].iter().all(|evicted| !evicted));
        assert!(!is_evicted(&mut other.1));
        assert_eq!(registry.lock().half_open.len(), 101);
    }

    #[test]
    fn the_oldest_of_all_goes_where_all_places_are_taken() {
        let registry = Registry::new(10, 80);
        let mut all: Vec<_> = (0..100).map(|number| connect(&registry, number)).collect();
        for (number, (_, receiver)) in all.iter_mut().enumerate() {
            assert_eq!(is_evicted(receiver), number < 20, "{number}");
        }
        assert_eq!(registry.lock().half_open.len(), 80);
    }

    /// Between being told to end and having ended, it gets nothing more.
    #[test]
    fn what_is_told_to_end_does_not_log_in() {
        let registry = Registry::new(10, 1);
        let (first, _receiver) = connect(&registry, 1);
        let (second, _receiver) = connect(&registry, 2);
        let initiator = InitiatorPort { name: "iqn.i".to_owned(), port: [0; 6] };
        let ends = |id| Ends { id, peer: ([192, 0, 2, 1], 1).into(), portal: ([192, 0, 2, 9], 2).into() };
        assert!(!registry.challenge(first, vec![1]) && registry.challenge(second, vec![1]));
        let refused = registry.claim(ends(first), &initiator, None);
        assert!(matches!(refused, Claim::Refused(LoginStatus::SERVICE_UNAVAILABLE)));
        assert!(registry.gave_out(&[1]));
        assert!(matches!(registry.claim(ends(second), &initiator, None), Claim::Granted { .. }));
        assert!(!registry.gave_out(&[1]), "a login that is over asks for nothing");
        registry.disconnect(first);
        registry.disconnect(second);
        assert_eq!(registry.rows(), [0; 4]);
    }
}
