//! One tape: medium operations on a log of segments.
#![forbid(unsafe_code)]

mod error;
mod facts;

use capstan_media::{CartridgeId, MediumFailure, MediumFailureKind, MediumOp, MediumResult, Position};
use capstan_store::Store;

pub use error::CartridgeError;
pub use facts::{Facts, NewCartridge};

/// How a cartridge writes. The defaults are for production; tests make segments small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// A segment is closed before it would exceed this many bytes, unless it holds a single record.
    pub segment_size: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_size: 64 << 20 }
    }
}

/// A loaded cartridge. Blocking; used from one thread at a time.
#[derive(Debug)]
pub struct Cartridge {
    facts: Facts,
}

impl Cartridge {
    /// Creates an empty cartridge durably.
    ///
    /// # Errors
    /// It exists, the capacity is 0, or the disk failed; then there is no such cartridge.
    pub fn create(store: &Store, new: NewCartridge) -> Result<(), CartridgeError> {
        let _ = (store, new);
        Ok(())
    }

    /// Loads a cartridge, after a recovery scan if it was not unloaded properly. It stands at the beginning.
    ///
    /// # Errors
    /// No such cartridge, already loaded, damaged metadata, a newer format, or the disk failed.
    pub fn open(store: &Store, id: CartridgeId) -> Result<Self, CartridgeError> {
        Self::open_with(store, id, Options::default())
    }

    /// As [`Cartridge::open`], with options.
    ///
    /// # Errors
    /// As [`Cartridge::open`].
    pub fn open_with(store: &Store, id: CartridgeId, options: Options) -> Result<Self, CartridgeError> {
        let _ = options;
        Ok(Self { facts: inspect(store, id)? })
    }

    /// Performs one medium operation. The answer carries the position, also that of a failure.
    ///
    /// # Errors
    /// See [`MediumFailureKind`].
    pub fn perform(&mut self, op: MediumOp) -> MediumResult {
        let _ = op;
        Err(MediumFailure {
            kind: MediumFailureKind::ReadFault,
            position: Position::default(),
            count: 0,
            message: String::new(),
        })
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
        Position::default()
    }

    /// The cartridge as it is now.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts.clone()
    }

    /// Write-protects the loaded cartridge or lifts that, durably.
    ///
    /// # Errors
    /// The disk failed; then nothing has changed.
    pub fn protect(&mut self, protected: bool) -> Result<(), CartridgeError> {
        self.facts.protected = protected;
        Ok(())
    }

    /// Unloads: everything written is on stable storage and the cartridge is marked clean.
    /// Dropping a `Cartridge` instead is like the death of the process: the next open scans.
    ///
    /// # Errors
    /// The disk failed, now or since the last synchronisation; the cartridge is left to the recovery scan.
    pub fn close(self) -> Result<Facts, CartridgeError> {
        Ok(self.facts)
    }
}

/// Reads the facts of a cartridge that need not be loaded.
///
/// # Errors
/// No such cartridge, damaged metadata, a newer format, or the disk failed.
pub fn inspect(store: &Store, id: CartridgeId) -> Result<Facts, CartridgeError> {
    let _ = store;
    Ok(Facts {
        id,
        barcode: capstan_media::Barcode::new("CAP001L8")
            .map_err(|error| CartridgeError::Poisoned { id, what: error.to_string() })?,
        capacity: 0,
        used: 0,
        objects: 0,
        filemarks: 0,
        protected: false,
        clean: true,
    })
}

/// Write-protects an unloaded cartridge or lifts that, durably.
///
/// # Errors
/// As [`inspect`], or the cartridge is loaded.
pub fn set_protected(store: &Store, id: CartridgeId, protected: bool) -> Result<(), CartridgeError> {
    let _ = (store, id, protected);
    Ok(())
}

/// Erases an unloaded cartridge: it is blank afterwards, durably.
///
/// # Errors
/// As [`Cartridge::open`]; also when the cartridge is write-protected.
pub fn erase(store: &Store, id: CartridgeId) -> Result<(), CartridgeError> {
    let _ = (store, id);
    Ok(())
}

/// Deletes an unloaded cartridge. A crash leaves it whole or gone.
///
/// # Errors
/// No such cartridge, loaded, or the disk failed.
pub fn delete(store: &Store, id: CartridgeId) -> Result<(), CartridgeError> {
    let _ = (store, id);
    Ok(())
}

/// All cartridges in the store, each with its facts or why they cannot be read.
///
/// # Errors
/// The directories of the store cannot be read.
pub fn list(store: &Store) -> Result<Vec<(CartridgeId, Result<Facts, CartridgeError>)>, CartridgeError> {
    let _ = store;
    Ok(Vec::new())
}
