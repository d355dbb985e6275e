//! Objects that are laid down on a new cartridge, one after the other.

use std::time::Duration;

use bytes::BytesMut;
use capstan_cartridge::{Cartridge, Options};
use capstan_media::{ByteSize, LocateTarget, MediumDone, MediumOp, MediumResult, Partition, Stop};
use capstan_store::{Pace, Store};

use super::Means;
use crate::jobs::transfer::{Transfer, TransferError};
use crate::view::Reserved;

/// Bytes of blocks that are written at once, unless it is one.
const BATCH: usize = 4 << 20;

/// Bytes that are written before the mover gets the cartridge for a moment, to ship what is on it.
const INSTALMENT: u64 = 256 << 20;

/// How often it is asked whether there is room in the upload buffer.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// A cartridge that is being made.
pub(super) struct Laying<'a> {
    store: &'a Store,
    tape: &'a Reserved,
    options: Options,
    /// Bytes in the upload buffer from which on it waits; `None` where nothing is shipped.
    limit: Option<u64>,
    instalment: u64,
    cartridge: Option<Cartridge>,
    /// Blocks of `length` bytes that are not written yet.
    gathered: BytesMut,
    length: u32,
    /// Filemarks that are not written yet.
    filemarks: u32,
    /// Bytes that were written since it was opened.
    since: u64,
    transfer: Transfer,
}

impl<'a> Laying<'a> {
    /// Opens a cartridge that was just made.
    pub(super) fn open(store: &'a Store, means: &Means, tape: &'a Reserved) -> Result<Self, TransferError> {
        let limit = means.upload_buffer.map(|buffer| Pace::asks_from(buffer.size));
        let instalment = limit.map_or(INSTALMENT, |limit| (limit / 4).clamp(1, INSTALMENT));
        Ok(Self {
            store,
            tape,
            options: means.options,
            limit,
            instalment,
            cartridge: Some(Cartridge::open_with(store, tape.id, means.options)?),
            gathered: BytesMut::new(),
            length: 0,
            filemarks: 0,
            since: 0,
            transfer: Transfer::default(),
        })
    }

    /// Bytes of blocks so far.
    pub(super) fn bytes(&self) -> u64 {
        self.transfer.bytes
    }

    /// A block; none is empty or longer than blocks are.
    pub(super) fn block(&mut self, data: &[u8]) -> Result<(), TransferError> {
        self.write_filemarks()?;
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if length != self.length || self.gathered.len().saturating_add(data.len()) > BATCH {
            self.write_blocks()?;
            self.length = length;
        }
        self.gathered.extend_from_slice(data);
        self.transfer.blocks = self.transfer.blocks.saturating_add(1);
        self.transfer.bytes = self.transfer.bytes.saturating_add(u64::from(length));
        Ok(())
    }

    /// Filemarks.
    pub(super) fn filemarks(&mut self, count: u64) -> Result<(), TransferError> {
        self.write_blocks()?;
        let sum = u64::from(self.filemarks).saturating_add(count);
        let Ok(sum) = u32::try_from(sum) else { return Err(self.full("filemarks")) };
        self.filemarks = sum;
        self.transfer.filemarks = self.transfer.filemarks.saturating_add(count);
        Ok(())
    }

    /// Blocks that are left out.
    pub(super) fn left_out(&mut self, count: u64) {
        self.transfer.errors = self.transfer.errors.saturating_add(count);
    }

    /// All of it is on stable storage.
    pub(super) fn close(mut self) -> Result<Transfer, TransferError> {
        self.write_blocks()?;
        self.write_filemarks()?;
        if let Some(cartridge) = self.cartridge.take() {
            cartridge.close()?;
        }
        Ok(self.transfer)
    }

    /// Where things are shipped: lets the mover have the cartridge once in a while, and waits while the upload buffer is
    /// so full that hosts are slowed. `watch` is told the bytes so far.
    pub(super) fn give_way(
        &mut self,
        watch: &mut dyn FnMut(u64) -> Result<(), TransferError>,
    ) -> Result<(), TransferError> {
        let Some(limit) = self.limit.filter(|_| self.since >= self.instalment) else { return Ok(()) };
        self.write_blocks()?;
        self.write_filemarks()?;
        if let Some(cartridge) = self.cartridge.take() {
            cartridge.close()?;
        }
        while self.store.used().saturating_add(self.instalment) > limit {
            watch(self.transfer.bytes)?;
            std::thread::sleep(ASK_AGAIN);
        }
        let cartridge = Cartridge::open_with(self.store, self.tape.id, self.options)?;
        self.cartridge = Some(cartridge);
        self.since = 0;
        self.perform(MediumOp::Locate { partition: Partition(0), target: LocateTarget::EndOfData }).map(drop)
    }

    fn write_blocks(&mut self) -> Result<(), TransferError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let data = self.gathered.split().freeze();
        self.since = self.since.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        let done = self.perform(MediumOp::Write { data, block_length: self.length })?;
        if done.stop == Some(Stop::EndOfPartition) { Err(self.full("bytes")) } else { Ok(()) }
    }

    fn write_filemarks(&mut self) -> Result<(), TransferError> {
        let count = std::mem::take(&mut self.filemarks);
        if count == 0 {
            return Ok(());
        }
        let done = self.perform(MediumOp::WriteFilemarks { count, synchronise: false })?;
        if done.stop == Some(Stop::EndOfPartition) { Err(self.full("filemarks")) } else { Ok(()) }
    }

    fn perform(&mut self, op: MediumOp) -> Result<MediumDone, TransferError> {
        let Some(cartridge) = &mut self.cartridge else { return Err(TransferError::Cancelled) };
        let done: MediumResult = cartridge.perform(op);
        done.map_err(|failure| TransferError::Medium { object: failure.position.object.0, what: failure.message })
    }

    fn full(&self, what: &str) -> TransferError {
        let size = ByteSize(self.tape.size);
        TransferError::Full(format!("more {what} than a cartridge of {size} takes; --size makes a larger one"))
    }
}
