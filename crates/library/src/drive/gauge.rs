//! What a drive shows of itself without being asked: numbers that its thread writes and others read.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use capstan_cartridge::Facts;
use capstan_media::{CartridgeId, FilemarkNumber, LogicalObjectId, Partition, Position};

use crate::view::DriveState;

/// Each number is right by itself; two of them may be from before and after the same operation.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    state: AtomicU8,
    busy: AtomicBool,
    write_bytes: AtomicU64,
    read_bytes: AtomicU64,
    partition: AtomicU8,
    object: AtomicU64,
    filemark: AtomicU64,
    end_of_data: AtomicBool,
    early_warning: AtomicBool,
    used: AtomicU64,
    objects: AtomicU64,
    filemarks: AtomicU64,
    durable_to: AtomicU64,
    protected: AtomicBool,
    threaded: Mutex<Option<CartridgeId>>,
}

/// What a threaded cartridge holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Contents {
    pub(crate) used: u64,
    pub(crate) objects: u64,
    pub(crate) filemarks: u64,
    pub(crate) durable_to: u64,
    pub(crate) protected: bool,
}

impl Gauge {
    pub(crate) fn state(&self) -> DriveState {
        match self.state.load(Ordering::Acquire) {
            1 => DriveState::Loaded,
            2 => DriveState::Unloaded,
            3 => DriveState::Faulty,
            4 => DriveState::Failed,
            _ => DriveState::Empty,
        }
    }

    pub(super) fn set_state(&self, state: DriveState) {
        let number = match state {
            DriveState::Empty => 0,
            DriveState::Loaded => 1,
            DriveState::Unloaded => 2,
            DriveState::Faulty => 3,
            DriveState::Failed => 4,
        };
        self.state.store(number, Ordering::Release);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    pub(super) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Release);
    }

    pub(crate) fn write_bytes(&self) -> u64 {
        self.write_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn count_written(&self, bytes: u64) {
        self.write_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_read(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn position(&self) -> Position {
        Position {
            partition: Partition(self.partition.load(Ordering::Relaxed)),
            object: LogicalObjectId(self.object.load(Ordering::Relaxed)),
            filemark: FilemarkNumber(self.filemark.load(Ordering::Relaxed)),
            end_of_data: self.end_of_data.load(Ordering::Relaxed),
            early_warning: self.early_warning.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set_position(&self, position: &Position) {
        self.partition.store(position.partition.0, Ordering::Relaxed);
        self.object.store(position.object.0, Ordering::Relaxed);
        self.filemark.store(position.filemark.0, Ordering::Relaxed);
        self.end_of_data.store(position.end_of_data, Ordering::Relaxed);
        self.early_warning.store(position.early_warning, Ordering::Relaxed);
    }

    pub(crate) fn contents(&self) -> Contents {
        Contents {
            used: self.used.load(Ordering::Relaxed),
            objects: self.objects.load(Ordering::Relaxed),
            filemarks: self.filemarks.load(Ordering::Relaxed),
            durable_to: self.durable_to.load(Ordering::Relaxed),
            protected: self.protected.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set_facts(&self, facts: &Facts) {
        self.used.store(facts.used, Ordering::Relaxed);
        self.objects.store(facts.objects, Ordering::Relaxed);
        self.filemarks.store(facts.filemarks, Ordering::Relaxed);
        self.protected.store(facts.protected, Ordering::Relaxed);
    }

    /// The cartridge that is threaded.
    pub(crate) fn threaded(&self) -> Option<CartridgeId> {
        *self.threaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_threaded(&self, cartridge: Option<CartridgeId>) {
        *self.threaded.lock().unwrap_or_else(PoisonError::into_inner) = cartridge;
    }

    pub(super) fn set_durable_to(&self, objects: u64) {
        self.durable_to.store(objects, Ordering::Relaxed);
    }

    pub(super) fn durable_to(&self) -> u64 {
        self.durable_to.load(Ordering::Relaxed)
    }
}
