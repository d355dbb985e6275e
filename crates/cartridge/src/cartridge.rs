//! The loaded cartridge: its state, and the way of an operation through it.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use capstan_format::manifest::RecoveryPoint;
use capstan_format::{Meta, Point};
use capstan_media::{
    CartridgeId, FilemarkNumber, LogicalObjectId, MediumDone, MediumFailure, MediumFailureKind, MediumOp, MediumResult,
    Partition, Position, Stop, early_warning_reserve,
};
use capstan_store::{CartridgeDirectory, Segment, Store};

use crate::chain::Chain;
use crate::fault::{Failed, Fault};
use crate::lineage::Lineage;
use crate::reader::Reader;
use crate::shipped::{Segments, Shipped};
use crate::tail::Tail;
use crate::versions::{self, Kept};
use crate::{CartridgeError, Facts, NewCartridge, Recovered, manage, recovery, superseded};

/// How a cartridge writes. The defaults are for production; tests make segments small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// A segment is closed before it would exceed this many bytes, unless it holds a single record. At most 512 MiB.
    pub segment_size: u64,
    /// At most this many closed segments wait for synchronisation. It bounds what a recovery scan has to read.
    pub unsynced_segments: usize,
    /// Bytes of the disk, for each cartridge that is loaded, into which blocks are not written: filemarks, unloads and
    /// the catalog go on when a host has filled the rest.
    pub reserve: u64,
    /// Older versions of a tape that are kept at most; with 0 what is overwritten is gone. At most 120.
    pub versions: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 64 << 20, unsynced_segments: 8, reserve: 64 << 20, versions: 32 }
    }
}

/// A loaded cartridge. Its operations block; it is used from one thread at a time.
///
/// Dropping it without [`Cartridge::close`] is like the death of the process: nothing that was answered is lost, and
/// the next open scans what was not synchronised.
#[derive(Debug)]
pub struct Cartridge {
    pub(crate) directory: CartridgeDirectory,
    pub(crate) options: Options,
    /// As it is on disk.
    pub(crate) meta: Meta,
    pub(crate) chain: Chain,
    /// Where the medium stands.
    pub(crate) place: Point,
    /// The last segment of the chain, if it can be appended to. It ends where the chain ends.
    pub(crate) tail: Option<Tail>,
    /// Closed segments that are not synchronised, in order: their descriptors stay open until they are.
    pub(crate) unsynced: Vec<Segment>,
    /// Segments that no longer hold anything, and may be needed until the next recovery point is durable.
    pub(crate) superseded: Vec<u64>,
    /// The segments of older versions.
    pub(crate) kept: Kept,
    /// Objects before this one are on stable storage.
    pub(crate) durable: u64,
    pub(crate) epoch: u64,
    pub(crate) next_sequence: u64,
    /// The write fault after which nothing more is written.
    pub(crate) poisoned: Option<String>,
    /// Bytes that may be written before the disk is asked again whether it has room.
    pub(crate) granted: u64,
    recovered: Option<Recovered>,
    /// Another gateway goes on with it.
    pub(crate) fenced: bool,
    /// What of it is in the tier.
    pub(crate) shipped: Shipped,
    /// When the first object was written to segments that are not in the tier.
    pub(crate) begun: BTreeMap<u64, Instant>,
    /// Recovery points that the tier does not know of.
    pub(crate) points: Vec<RecoveryPoint>,
    pub(crate) reader: Option<Reader>,
    pub(crate) buffer: BytesMut,
}

/// What an operation came to; the position is added at the end.
#[derive(Clone, Default, Debug)]
pub(crate) struct Outcome {
    pub(crate) data: Bytes,
    pub(crate) count: u64,
    pub(crate) stop: Option<Stop>,
}

impl Outcome {
    pub(crate) fn new(count: u64, stop: Option<Stop>) -> Self {
        Self { data: Bytes::new(), count, stop }
    }
}

impl Cartridge {
    /// Creates an empty cartridge durably. A crash leaves it whole or absent.
    ///
    /// # Errors
    /// It exists, the capacity is 0, or the disk failed; then there is no such cartridge.
    pub fn create(store: &Store, new: NewCartridge) -> Result<(), CartridgeError> {
        let NewCartridge { id, barcode, capacity } = new;
        if capacity == 0 {
            return Err(CartridgeError::Capacity(capacity));
        }
        Ok(store.create(id, &Meta::blank(id, barcode, capacity).encode())?)
    }

    /// Loads a cartridge, after a recovery scan if it was not unloaded properly. It stands at the beginning.
    ///
    /// # Errors
    /// No such cartridge, already loaded, damaged beyond use, a newer format, or the disk failed.
    pub fn open(store: &Store, id: CartridgeId) -> Result<Self, CartridgeError> {
        Self::open_with(store, id, Options::default())
    }

    /// As [`Cartridge::open`], with options.
    ///
    /// # Errors
    /// As [`Cartridge::open`].
    pub fn open_with(store: &Store, id: CartridgeId, options: Options) -> Result<Self, CartridgeError> {
        Self::open_in(store.claim(id)?, options)
    }

    /// As [`Cartridge::open_with`], for a moment: who loads it meanwhile waits.
    ///
    /// # Errors
    /// As [`Cartridge::open`].
    pub fn open_briefly(store: &Store, id: CartridgeId, options: Options) -> Result<Self, CartridgeError> {
        Self::open_in(store.claim_briefly(id)?, options)
    }

    fn open_in(mut directory: CartridgeDirectory, options: Options) -> Result<Self, CartridgeError> {
        let id = directory.id();
        let mut meta = manage::decode_meta(id, &directory.read_meta()?, &directory.meta_path())?;
        let mut recovered = None;
        let shipped = Shipped::read(&directory)?;
        if meta.open {
            let (found, what) = recovery::recover(&mut directory, &shipped, meta)?;
            (meta, recovered) = (found, Some(what));
        }
        Ok(Self { recovered, ..Self::assemble(directory, options, meta, shipped)? })
    }

    /// The cartridge that clean metadata describe.
    pub(crate) fn assemble(
        directory: CartridgeDirectory,
        options: Options,
        meta: Meta,
        shipped: Shipped,
    ) -> Result<Self, CartridgeError> {
        let segments = Segments::new(&directory, &shipped, &meta.origins);
        let chain = Lineage::new(segments, meta.end, &meta.ancestors).chain()?;
        let kept = versions::kept(segments, &meta.versions)?;
        Ok(Self {
            options,
            kept,
            durable: meta.end.object,
            epoch: meta.epoch,
            next_sequence: meta.next_sequence,
            place: Point::default(),
            tail: None,
            unsynced: Vec::new(),
            superseded: Vec::new(),
            poisoned: None,
            granted: 0,
            recovered: None,
            fenced: directory.is_fenced()?,
            shipped,
            begun: BTreeMap::new(),
            points: Vec::new(),
            reader: None,
            buffer: BytesMut::new(),
            directory,
            meta,
            chain,
        })
    }

    /// Performs one medium operation. The answer carries the position, also that of a failure.
    ///
    /// # Errors
    /// See [`MediumFailureKind`]. After a write fault everything but reading and positioning fails until the
    /// cartridge is opened again.
    pub fn perform(&mut self, op: MediumOp) -> MediumResult {
        let outcome = match op {
            MediumOp::Write { data, block_length } => self.write(&data, block_length),
            MediumOp::WriteFilemarks { count, synchronise } => self.write_filemarks(count, synchronise),
            MediumOp::Read(request) => self.read(request),
            MediumOp::Locate { partition, target } => self.locate(partition, target).map_err(Failed::from),
            MediumOp::Space(target) => self.space(target).map_err(Failed::from),
            MediumOp::Rewind => {
                self.place = Point::default();
                Ok(Outcome::default())
            }
            MediumOp::Erase => self.erase().map_err(Failed::from),
            MediumOp::Synchronise => self.recovery_point().map(|()| Outcome::default()).map_err(Failed::from),
            MediumOp::ReportPosition => Ok(Outcome::default()),
        };
        let position = self.position();
        match outcome {
            Ok(Outcome { data, count, stop }) => Ok(MediumDone { position, data, count, stop }),
            Err(Failed { fault: Fault { kind, message }, count }) => {
                // Only a read that failed has left something there: the blocks before the failure.
                let data = self.buffer.split().freeze();
                Err(MediumFailure { kind, position, count, data, message })
            }
        }
    }

    /// Whether an operation needs nothing but the files that are open: it neither synchronises, nor begins or looks
    /// through a segment. On a disk that keeps up it is brief.
    #[must_use]
    pub fn is_brief(&self, op: &MediumOp) -> bool {
        match op {
            MediumOp::Write { data, block_length } => self.appends_briefly(data, *block_length),
            MediumOp::Read(request) => self.reads_briefly(request.count),
            MediumOp::Rewind | MediumOp::ReportPosition => true,
            MediumOp::WriteFilemarks { .. }
            | MediumOp::Locate { .. }
            | MediumOp::Space(_)
            | MediumOp::Erase
            | MediumOp::Synchronise => false,
        }
    }

    /// Puts everything acknowledged on stable storage.
    ///
    /// # Errors
    /// As [`MediumOp::Synchronise`].
    pub fn synchronise(&mut self) -> MediumResult {
        self.perform(MediumOp::Synchronise)
    }

    /// Where the medium stands.
    #[must_use]
    pub fn position(&self) -> Position {
        let capacity = self.meta.capacity;
        Position {
            partition: Partition(0),
            object: LogicalObjectId(self.place.object),
            filemark: FilemarkNumber(self.place.filemark),
            end_of_data: self.place.object == self.chain.end().object,
            early_warning: self.place.byte >= capacity.saturating_sub(early_warning_reserve(capacity)),
        }
    }

    /// The cartridge as it is now.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts { fenced: self.fenced, ..Facts::new(&self.meta, self.chain.end()) }
    }

    /// Another gateway goes on with it: from now on nothing is written to it, durably.
    ///
    /// # Errors
    /// The disk failed: it is so until it is opened again.
    pub fn fence(&mut self) -> Result<(), CartridgeError> {
        self.fenced = true;
        Ok(self.directory.set_fenced()?)
    }

    /// What loading it found, if it had not been unloaded properly.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovered> {
        self.recovered
    }

    /// Write-protects the loaded cartridge or lifts that, durably.
    ///
    /// # Errors
    /// The disk failed; then nothing has changed.
    pub fn protect(&mut self, protected: bool) -> Result<(), CartridgeError> {
        let meta = Meta { protected, ..self.meta.clone() };
        self.write_meta(meta)
    }

    pub(crate) fn write_meta(&mut self, meta: Meta) -> Result<(), CartridgeError> {
        self.directory.write_meta(&meta.encode())?;
        self.meta = meta;
        Ok(())
    }

    /// Unloads: everything written is on stable storage and the cartridge is marked clean.
    ///
    /// # Errors
    /// The disk failed, now or since the last recovery point; the cartridge is left to the recovery scan.
    pub fn close(mut self) -> Result<Facts, CartridgeError> {
        self.settle()?;
        Ok(self.facts())
    }

    /// Everything is on stable storage, and the metadata say so.
    pub(crate) fn settle(&mut self) -> Result<(), CartridgeError> {
        if !self.meta.open {
            return Ok(());
        }
        let id = self.meta.cartridge;
        let durable = self.close_tail().and_then(|()| self.recovery_point());
        durable.map_err(|fault| CartridgeError::Poisoned { id, what: fault.message })?;
        // An empty segment says where the tape ends; from now on the metadata say it.
        let useless: Vec<u64> = self.chain.pop_empty().iter().map(|row| row.sequence).collect();
        let end = self.chain.end();
        let (epoch, next_sequence, ancestors) = (self.epoch, self.next_sequence, self.chain.ancestors(end));
        let meta = Meta { epoch, next_sequence, end, ancestors, ..self.meta.clone() };
        superseded::settle(&mut self.directory, &meta, &useless)?;
        self.meta = Meta { open: false, ..meta };
        Ok(())
    }

    pub(crate) fn check_writable(&self) -> Result<(), Fault> {
        if self.fenced {
            let message = format!("another gateway goes on with cartridge {} in the tier", self.meta.barcode);
            return Err(Fault::new(MediumFailureKind::WriteProtected, message));
        }
        if self.meta.protected {
            let message = format!("cartridge {} is write-protected", self.meta.barcode);
            return Err(Fault::new(MediumFailureKind::WriteProtected, message));
        }
        self.check_not_poisoned()
    }

    pub(crate) fn check_not_poisoned(&self) -> Result<(), Fault> {
        match &self.poisoned {
            Some(cause) => {
                let barcode = &self.meta.barcode;
                let message = format!("cartridge {barcode} takes no writes until it is loaded again: {cause}");
                Err(Fault::new(MediumFailureKind::Poisoned, message))
            }
            None => Ok(()),
        }
    }

    /// Notes a fault that leaves unknown what is on the disk.
    pub(crate) fn poison(&mut self, mut fault: Fault) -> Fault {
        let is_fault = matches!(fault.kind, MediumFailureKind::WriteFault | MediumFailureKind::SyncFault);
        let end = self.chain.end().object;
        if fault.kind == MediumFailureKind::SyncFault && self.durable < end {
            let (first, last) = (self.durable, end.saturating_sub(1));
            fault.message.push_str(&format!("; objects {first} to {last} may be lost"));
        }
        if is_fault && self.poisoned.is_none() {
            tracing::error!(cartridge = %self.meta.cartridge, error = fault.message, "write fault; cartridge is poisoned");
            self.poisoned = Some(fault.message.clone());
        }
        fault
    }
}
