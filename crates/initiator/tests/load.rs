//! Many connections that never log in, and many that come and go, while a session transfers. Alone in its process,
//! for it counts file descriptors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_initiator::{Command, Credentials, Isid, Login, Secret, Session};
use capstan_portal::{Initiator, Initiators, PortalConfig, Target, start};
use capstan_scsi::sam::{
    Completion, InitiatorPort, Lun, NexusId, Status, Task, TaskId, TaskManagement, TaskObserver, TaskRouter,
};
use tokio::net::TcpStream;

const INITIATOR: &str = "iqn.2026-11.io.capstan:load";
const TARGET: &str = "iqn.2026-11.io.capstan:block";
const LONG: Duration = Duration::from_secs(60);
const CONNECTIONS: usize = 1000;
/// What a host may have open without logging in, with the default limits.
const HALF_OPEN: usize = 256;
const BLOCK: usize = 64 << 10;

/// Counts nexuses and gives out one block.
#[derive(Default)]
struct Device {
    nexuses: Mutex<i64>,
    commands: AtomicU64,
}

impl TaskRouter for Device {
    fn nexus_established(&self, _: NexusId, _: &InitiatorPort) {
        *self.nexuses.lock().unwrap() += 1;
    }

    fn nexus_lost(&self, _: NexusId) {
        *self.nexuses.lock().unwrap() -= 1;
    }

    fn submit(&self, _: Lun, task: Task) {
        self.commands.fetch_add(1, Ordering::Relaxed);
        task.observer.completed(task.id, Completion::good_with(Bytes::from(vec![0x5a; BLOCK])));
    }

    fn data_out(&self, _: Lun, _: TaskId, _: Bytes) {}
    fn manage(&self, _: TaskManagement, _: Arc<dyn TaskObserver>) {}
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn login(port: u16) -> Login {
    let [high, low] = port.to_be_bytes();
    let chap = Some(Credentials { user: "load".to_owned(), secret: Secret::new("a secret for the load") });
    Login { isid: Isid([0x80, 0, 0, 0, high, low]), chap, ..Login::new(INITIATOR, TARGET) }
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Reads until it is told to stop; how many blocks.
async fn transfer(session: Session, stop: Arc<AtomicBool>) -> u64 {
    let mut blocks = 0;
    while !stop.load(Ordering::Relaxed) {
        let command = Command::read(&[8, 0, 1, 0, 0, 0], u32::try_from(BLOCK).unwrap());
        let outcome = session.execute(Lun::ZERO, command, LONG).await.unwrap();
        assert_eq!((outcome.status, outcome.data.len()), (Status::GOOD, BLOCK));
        blocks += 1;
    }
    session.log_out(LONG).await.unwrap();
    blocks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_come_and_go_and_never_log_in() {
    let initiator = Initiator { name: INITIATOR.to_owned(), chap: login(0).chap, mutual: None };
    let config = PortalConfig {
        initiators: Initiators::Listed(vec![initiator]),
        ..PortalConfig::new(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
    };
    let device = Arc::new(Device::default());
    let portal = start(config, vec![Target::new(TARGET, Arc::clone(&device) as _)]).await.unwrap();
    let address = portal.local_addrs()[0];
    // Once through everything, so that what is made once is there.
    Session::log_in(address, &login(1), LONG).await.unwrap().log_out(LONG).await.unwrap();
    eventually("the first session ends", || portal.sessions().is_empty()).await;
    let before = descriptors();

    let session = Session::log_in(address, &login(1), LONG).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let transfer = tokio::spawn(transfer(session, Arc::clone(&stop)));
    // Both ends of a connection are here, so of each that is kept open there are two descriptors.
    for round in 0..CONNECTIONS / 100 {
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        for number in 0..100 {
            let port = u16::try_from(2 + number % 7).unwrap();
            let passing = Session::log_in(address, &login(port), LONG).await.unwrap();
            passing.log_out(LONG).await.unwrap();
        }
        assert!(descriptors() <= before + 2 * HALF_OPEN + 64, "round {round}");
    }
    // All at once: the oldest are closed, the transfer and a login go through.
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS / 2 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    eventually("no more than its share is open", || descriptors() <= before + CONNECTIONS / 2 + HALF_OPEN + 16).await;
    Session::log_in(address, &login(9), LONG).await.unwrap().log_out(LONG).await.unwrap();
    drop(silent);

    let seen = device.commands.load(Ordering::Relaxed);
    eventually("the transfer goes on", || device.commands.load(Ordering::Relaxed) >= seen + 100).await;
    stop.store(true, Ordering::Relaxed);
    let blocks = transfer.await.unwrap();
    assert_eq!(device.commands.load(Ordering::Relaxed), blocks, "each command once");
    eventually("no session is left", || portal.sessions().is_empty()).await;
    eventually("no nexus is left", || *device.nexuses.lock().unwrap() == 0).await;
    eventually("no descriptor is left", || descriptors() <= before).await;
    portal.shutdown().await;
    assert_eq!(Arc::strong_count(&device), 1, "nothing of the portal is left");
}
