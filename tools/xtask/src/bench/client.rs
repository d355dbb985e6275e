//! The clients: one process for each drive.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::case::Case;
use super::subject::{Access, Server};
use super::usage::cpu_seconds;
use crate::program::{Program, expect};

/// A client with its drive.
pub(super) struct Client(Program);

/// What one drive moves, and with which data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) case: Case,
    pub(super) bytes: u64,
    pub(super) seed: u64,
}

impl Client {
    /// Logs in to drive `number`; it is not ready yet.
    pub(super) fn start(load: &Path, server: &Server, number: u32, share: Share) -> Result<Self> {
        let mut command = Command::new(load);
        match &server.access {
            Access::Bare => {
                command.args(["bare", "--server", &server.portal, "--number", &number.to_string()]);
            }
            Access::Tape { target, lun, forgets } => {
                command.args(["tape", "--portal", &server.portal, "--target", &target(number)]);
                command.args(["--lun", &lun.to_string(), "--fixed", &share.case.fixed.to_string()]);
                command.args(forgets.then_some("--forgets"));
                command.args(share.case.digests.then_some("--digests"));
            }
        }
        command.args(["--block", &share.case.block.to_string(), "--bytes", &share.bytes.to_string()]);
        command.args(["--seed", &(share.seed + u64::from(number)).to_string()]);
        Program::start(&mut command).map(Self)
    }

    /// What was negotiated.
    pub(super) fn ready(&mut self) -> Result<Value> {
        expect(&self.0.step()?, "ready")
    }

    pub(super) fn tell(&mut self, order: &str) -> Result<()> {
        self.0.tell(order)
    }

    pub(super) fn done(&mut self, kind: &str) -> Result<Value> {
        expect(&self.0.step()?, kind)
    }

    /// Says one thing and waits until it is done.
    pub(super) fn ask(&mut self, order: &str) -> Result<Value> {
        self.tell(order)?;
        self.done("done").with_context(|| format!("the client was told to {order}"))
    }

    pub(super) fn end(mut self) -> Result<()> {
        self.tell("end")?;
        self.0.end().context("the client does not log out")
    }

    fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.0.id())
    }
}

/// What a phase took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) time: Duration,
    pub(super) server_cpu: f64,
    pub(super) client_cpu: f64,
}

/// All clients do the same at once; until the last one has done it.
pub(super) fn together(clients: &mut [Client], server: u32, order: &str) -> Result<Took> {
    let clients_cpu = |clients: &[Client]| clients.iter().map(Client::cpu_seconds).sum::<Result<f64>>();
    let (server_before, clients_before) = (cpu_seconds(server)?, clients_cpu(clients)?);
    let start = Instant::now();
    for client in &mut *clients {
        client.tell(order)?;
    }
    for client in &mut *clients {
        client.done("done").with_context(|| format!("the client was told to {order}"))?;
    }
    let time = start.elapsed();
    Ok(Took {
        time,
        server_cpu: cpu_seconds(server)? - server_before,
        client_cpu: clients_cpu(clients)? - clients_before,
    })
}
