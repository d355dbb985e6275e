//! The rows of the catalog, and their encoding.

use std::fmt;

use capstan_media::{Barcode, CartridgeId, ElementAddress};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Who this library is, from its first start on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdentityRow {
    /// A random UUID: serial numbers and NAA identifiers of all devices come from it.
    pub uuid: [u8; 16],
    /// When the library was made, seconds since 1970 UTC.
    pub created: u64,
    /// The cartridges of the first start are all there: a start that finds `false` goes on making them.
    pub stocked: bool,
}

/// A cartridge that the library owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CartridgeRow {
    /// Label, unique.
    pub barcode: Barcode,
    /// Host bytes that fit.
    pub capacity: u64,
    /// Where it is in its life.
    pub state: CartridgeState,
    /// When it was made, seconds since 1970 UTC.
    pub created: u64,
}

/// What an element holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceRow {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// The storage element that it was last moved from (SVALID). [SMC-3 READ ELEMENT STATUS]
    pub source: Option<ElementAddress>,
    /// An operator, not the robot, put it into this import/export element (IMPEXP).
    pub placed_by_operator: bool,
    /// In a drive: it is threaded, and opened again at the next start.
    pub threaded: bool,
}

/// Life of a cartridge. The numbers are those of the stored form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum CartridgeState {
    /// Being made: not acknowledged yet, undone at the next start.
    Creating = 1,
    /// In the library, can be loaded.
    Available = 2,
    /// On its way out, can be called back.
    InTransit = 3,
    /// Being copied to the archive.
    Archiving = 4,
    /// On the shelf.
    Archived = 5,
    /// Being copied back.
    Retrieving = 6,
    /// Back and write-protected.
    Retrieved = 7,
    /// Rebuilt from what was found.
    Recovered = 8,
    /// Known to be lost.
    Irrecoverable = 9,
    /// Being deleted: gone at the next start at the latest.
    Deleting = 10,
}

impl CartridgeState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Creating,
        Self::Available,
        Self::InTransit,
        Self::Archiving,
        Self::Archived,
        Self::Retrieving,
        Self::Retrieved,
        Self::Recovered,
        Self::Irrecoverable,
        Self::Deleting,
    ];

    /// The word for it, in upper case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Available => "AVAILABLE",
            Self::InTransit => "IN_TRANSIT",
            Self::Archiving => "ARCHIVING",
            Self::Archived => "ARCHIVED",
            Self::Retrieving => "RETRIEVING",
            Self::Retrieved => "RETRIEVED",
            Self::Recovered => "RECOVERED",
            Self::Irrecoverable => "IRRECOVERABLE",
            Self::Deleting => "DELETING",
        }
    }
}

impl fmt::Display for CartridgeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many changes there were.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct RevisionRow(pub(crate) u64);

/// A row with a stored form of one version.
pub(crate) trait Row: Sized {
    /// Version that this release writes, and the newest that it reads.
    const VERSION: u8;
    /// The stored form of that version.
    type Stored: Serialize + DeserializeOwned;

    fn store(&self) -> Self::Stored;

    /// Says what is wrong with a stored form that means nothing.
    fn restore(stored: Self::Stored) -> Result<Self, String>;
}

/// Why bytes are no row.
#[derive(Debug)]
pub(crate) enum Undecodable {
    Newer(u8),
    Damaged(String),
}

pub(crate) fn encode<R: Row>(row: &R) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(&row.store(), vec![R::VERSION])
}

pub(crate) fn decode<R: Row>(bytes: &[u8]) -> Result<R, Undecodable> {
    let damaged = |what: &str| Undecodable::Damaged(what.to_owned());
    let (version, body) = bytes.split_first().ok_or_else(|| damaged("the value is empty"))?;
    if *version > R::VERSION {
        return Err(Undecodable::Newer(*version));
    }
    if *version != R::VERSION {
        return Err(Undecodable::Damaged(format!("there never was a version {version}")));
    }
    let (stored, rest) =
        postcard::take_from_bytes(body).map_err(|error| Undecodable::Damaged(format!("does not decode: {error}")))?;
    if !rest.is_empty() {
        return Err(Undecodable::Damaged(format!("{} bytes follow the value", rest.len())));
    }
    R::restore(stored).map_err(Undecodable::Damaged)
}

#[derive(Serialize, Deserialize)]
pub(crate) struct IdentityV1 {
    uuid: [u8; 16],
    created: u64,
    stocked: bool,
}

impl Row for IdentityRow {
    const VERSION: u8 = 1;
    type Stored = IdentityV1;

    fn store(&self) -> IdentityV1 {
        IdentityV1 { uuid: self.uuid, created: self.created, stocked: self.stocked }
    }

    fn restore(stored: IdentityV1) -> Result<Self, String> {
        Ok(Self { uuid: stored.uuid, created: stored.created, stocked: stored.stocked })
    }
}

impl Row for RevisionRow {
    const VERSION: u8 = 1;
    type Stored = u64;

    fn store(&self) -> u64 {
        self.0
    }

    fn restore(stored: u64) -> Result<Self, String> {
        Ok(Self(stored))
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct CartridgeV1 {
    barcode: String,
    capacity: u64,
    state: u8,
    created: u64,
}

impl Row for CartridgeRow {
    const VERSION: u8 = 1;
    type Stored = CartridgeV1;

    fn store(&self) -> CartridgeV1 {
        CartridgeV1 {
            barcode: self.barcode.as_str().to_owned(),
            capacity: self.capacity,
            state: self.state as u8,
            created: self.created,
        }
    }

    fn restore(stored: CartridgeV1) -> Result<Self, String> {
        let state = CartridgeState::ALL.into_iter().find(|state| *state as u8 == stored.state);
        Ok(Self {
            barcode: Barcode::new(&stored.barcode).map_err(|error| format!("{:?}: {error}", stored.barcode))?,
            capacity: stored.capacity,
            state: state.ok_or_else(|| format!("{} is no state of a cartridge", stored.state))?,
            created: stored.created,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct PlaceV1 {
    cartridge: [u8; 16],
    source: Option<u16>,
    placed_by_operator: bool,
    threaded: bool,
}

impl Row for PlaceRow {
    const VERSION: u8 = 1;
    type Stored = PlaceV1;

    fn store(&self) -> PlaceV1 {
        PlaceV1 {
            cartridge: self.cartridge.0,
            source: self.source.map(|address| address.0),
            placed_by_operator: self.placed_by_operator,
            threaded: self.threaded,
        }
    }

    fn restore(stored: PlaceV1) -> Result<Self, String> {
        Ok(Self {
            cartridge: CartridgeId(stored.cartridge),
            source: stored.source.map(ElementAddress),
            placed_by_operator: stored.placed_by_operator,
            threaded: stored.threaded,
        })
    }
}
