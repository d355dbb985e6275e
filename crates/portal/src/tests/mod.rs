//! The portal over real loopback sockets, with a device that keeps one block in memory.

mod bad_input;
mod client;
mod data;
mod device;
mod isolation;
mod sessions;
mod shutdown;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_iscsi::login::LoginStatus;
use tokio::runtime::Runtime;

use crate::{PortalConfig, PortalHandle, Target, start};
use client::{Client, Login};
use device::Device;

/// A portal with targets `iqn.t0`, `iqn.t1`, ... on a runtime of its own.
struct Bench {
    portal: PortalHandle,
    devices: Vec<Arc<Device>>,
    runtime: Runtime,
}

impl Bench {
    fn new(count: usize) -> Self {
        Self::with(count, |_| {})
    }

    fn with(count: usize, change: impl FnOnce(&mut PortalConfig)) -> Self {
        let devices: Vec<_> = (0..count).map(|_| Device::start()).collect();
        let named = devices.iter().enumerate();
        let targets = named.map(|(number, device)| Target::new(format!("iqn.t{number}"), Arc::clone(device) as _));
        Self::serving(targets.collect(), devices, change)
    }

    fn serving(targets: Vec<Target>, devices: Vec<Arc<Device>>, change: impl FnOnce(&mut PortalConfig)) -> Self {
        let mut config = PortalConfig::new(vec!["127.0.0.1:0".parse().unwrap()]);
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let portal = runtime.block_on(start(config, targets)).unwrap();
        Self { portal, devices, runtime }
    }

    fn address(&self) -> SocketAddr {
        self.portal.local_addrs()[0]
    }

    /// A session of initiator port `port` with target `iqn.t<number>`.
    fn client(&self, number: usize, port: u8) -> Client {
        self.try_client(Login { port, ..Login::to(number) }).unwrap()
    }

    fn try_client(&self, login: Login) -> Result<Client, LoginStatus> {
        Client::log_in(self.address(), login)
    }

    fn shut_down(&self) {
        self.runtime.block_on(self.portal.shutdown());
    }
}

/// Waits for what happens in another thread.
#[track_caller]
fn eventually(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}
