//! One drive over iSCSI, one command at a time, as a tape driver does it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use capstan_initiator::{BlockRead, Device, DigestPolicy, Login, Session, Tape};
use capstan_scsi::sam::Lun;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::blocks::Blocks;
use crate::options::TapePart;
use crate::order::Order;
use crate::pace::since;
use crate::say;

pub(crate) const INITIATOR: &str = "iqn.2026-11.io.capstan:bench-load";

/// Longer than any flush to a busy disk.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Between two pings.
const PING_PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn run(part: &TapePart) -> Result<()> {
    // One thread: a drive has one command at a time, and nothing in it can run at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(part))
}

struct Drive<'a> {
    tape: Tape,
    part: &'a TapePart,
    blocks: Blocks,
}

async fn serve(part: &TapePart) -> Result<()> {
    let drive = Drive::log_in(part).await?;
    say(&json!({ "ready": drive.agreed() }));
    loop {
        // On a thread of its own, so that the target's pings are answered.
        let order = spawn_blocking(Order::next).await??;
        let start = Instant::now();
        let mut done = match order {
            Order::Write => drive.write(None).await?,
            Order::Read => drive.read().await?,
            Order::Rewind => drive.rewind().await?,
            Order::Flood => {
                say(&json!({ "flooding": null }));
                drive.write(Some(spawn_blocking(Order::next))).await?
            }
            Order::Ping(count) => drive.ping(count).await?,
            Order::Locate(object) => drive.locate(object).await?,
            Order::Stop => bail!("nothing is going on that could stop"),
            Order::End => return drive.tape.session().log_out(TIMEOUT).await.context("logout"),
        };
        if let Some(done) = done.as_object_mut() {
            done.insert("microseconds".to_owned(), since(start).into());
        }
        say(&json!({ "done": done }));
    }
}

impl<'a> Drive<'a> {
    async fn log_in(part: &'a TapePart) -> Result<Self> {
        let mut login = Login::new(INITIATOR, &part.target);
        let digest = if part.digests { DigestPolicy::Require } else { DigestPolicy::Off };
        login.wishes.header_digest = digest;
        login.wishes.data_digest = digest;
        let session = Session::log_in(part.portal, &login, TIMEOUT).await?;
        let tape = Tape::new(Device::new(session, Lun([0, part.lun, 0, 0, 0, 0, 0, 0]), TIMEOUT));
        tape.wait_ready().await?;
        if part.fixed > 0 {
            tape.set_block_length(part.fixed).await?;
        }
        Ok(Self { tape, part, blocks: Blocks::make(&part.amount)? })
    }

    /// What matters of what was negotiated.
    fn agreed(&self) -> Value {
        let parameters = self.tape.session().parameters();
        json!({
            "InitialR2T": parameters.initial_r2t,
            "ImmediateData": parameters.immediate_data,
            "FirstBurstLength": parameters.first_burst_length,
            "MaxBurstLength": parameters.max_burst_length,
        })
    }

    /// All blocks once, or again and again until told to stop.
    async fn write(&self, until: Option<JoinHandle<Result<Order>>>) -> Result<Value> {
        let mut rounds = 0_u64;
        loop {
            for at in 0..self.blocks.count {
                if until.as_ref().is_some_and(JoinHandle::is_finished) {
                    return Ok(json!({ "rounds": rounds, "blocks": at }));
                }
                self.write_one(self.blocks.at(at)).await.with_context(|| format!("block {at}"))?;
            }
            if until.is_none() {
                return Ok(json!({ "blocks": self.blocks.count }));
            }
            self.tape.rewind().await?;
            rounds += 1;
        }
    }

    async fn write_one(&self, block: Bytes) -> Result<()> {
        let written = match self.in_a_command() {
            Some(count) => self.tape.write_fixed(count, block).await?,
            None => self.tape.write_block(block).await?,
        };
        ensure!(!written.early_warning, "the cartridge is full: the benchmark needs larger ones");
        Ok(())
    }

    async fn read(&self) -> Result<Value> {
        for at in 0..self.blocks.count {
            let read = match self.in_a_command() {
                Some(count) => self.tape.read_fixed(count, self.part.fixed).await,
                None => self.tape.read_block(self.blocks.length).await,
            };
            let read = read.with_context(|| format!("block {at}"))?;
            let BlockRead::Block(block) = read else { bail!("instead of block {at} there is {read:?}") };
            let same = match self.part.forgets {
                true => u32::try_from(block.len()) == Ok(self.blocks.length),
                false => self.blocks.is_at(at, &block),
            };
            ensure!(same, "block {at} is not what was written: {} bytes", block.len());
        }
        Ok(json!({ "blocks": self.blocks.count }))
    }

    /// Blocks in a command, where they have a fixed length.
    fn in_a_command(&self) -> Option<u32> {
        self.blocks.length.checked_div(self.part.fixed)
    }

    /// What was written is on disk, the position is the beginning.
    async fn rewind(&self) -> Result<Value> {
        self.tape.write_filemarks(0, false).await?;
        self.tape.rewind().await?;
        Ok(json!({}))
    }

    /// The round trip of each of so many NOPs.
    async fn ping(&self, count: u32) -> Result<Value> {
        let data = Bytes::from_static(b"bench-load");
        let mut times = Vec::new();
        for _ in 0..count {
            let start = Instant::now();
            let back = self.tape.session().nop(data.clone(), TIMEOUT).await?;
            times.push(since(start));
            ensure!(back == data, "the ping came back with other data");
            tokio::time::sleep(PING_PAUSE).await;
        }
        Ok(json!({ "pings": times }))
    }

    /// How long it takes to get there, and then to read there.
    async fn locate(&self, object: u64) -> Result<Value> {
        let start = Instant::now();
        self.tape.locate(object).await?;
        let located = since(start);
        let start = Instant::now();
        let read = match self.part.fixed {
            0 => self.tape.read_block(self.blocks.length).await?,
            length => self.tape.read_fixed(1, length).await?,
        };
        let took = since(start);
        ensure!(matches!(read, BlockRead::Block(_)), "there is no block at {object}: {read:?}");
        Ok(json!({ "locate": located, "read": took }))
    }
}
