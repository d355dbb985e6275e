//! What a recovery did, or would do.

use std::path::PathBuf;

use capstan_catalog::State;
use capstan_media::{CartridgeId, Place};

/// A recovery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// What was the matter with the catalog.
    pub catalog: CatalogWas,
    /// Where the slot map and the identity come from.
    pub base: Base,
    /// The catalog did not say what it should.
    pub changed: bool,
    /// A new catalog was written.
    pub written: bool,
    /// Where the old one is kept.
    pub kept_aside: Option<PathBuf>,
    /// Number of the last change, in the new catalog.
    pub revision: u64,
    /// All that the catalog holds now.
    pub state: State,
    /// What is not as it was, or needs a look.
    pub remarks: Vec<Remark>,
}

/// What was the matter with a catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CatalogWas {
    /// Nothing.
    Good,
    /// There was none, or an empty one.
    Missing,
    /// It could not be read, or contradicted itself.
    Damaged(String),
    /// It lacked changes that were answered.
    Older {
        /// The last change in it.
        has: u64,
        /// The last change that was answered.
        newest: u64,
    },
}

/// Where the slot map and the identity come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Base {
    /// The catalog itself.
    Catalog {
        /// The last change in it.
        revision: u64,
    },
    /// What is kept beside it.
    Mirror {
        /// The last change in it.
        revision: u64,
        /// Nothing newer can have been there.
        certain: bool,
    },
    /// What was shipped of it to a tier.
    Tier {
        /// The last change in it.
        revision: u64,
    },
    /// A catalog that contradicts itself, as far as it makes sense.
    Contradictory,
    /// Nothing but the cartridges: places and identity are new.
    Cartridges,
}

/// Something to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// What sort of thing it is.
    pub kind: RemarkKind,
    /// The label of the cartridge, if it is about one that has a label.
    pub barcode: Option<String>,
    /// The cartridge.
    pub cartridge: Option<CartridgeId>,
    /// Where it is now.
    pub place: Option<Place>,
    /// For a person.
    pub what: String,
}

/// Sorts of [`Remark`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RemarkKind {
    /// The last change may be missing.
    Uncertain,
    /// The library has a new identity: its devices have other serial numbers.
    NewIdentity,
    /// A cartridge was found of which the library knew nothing.
    Found,
    /// Two cartridges have the same label: one got another.
    SameBarcode,
    /// Two places were said to hold a cartridge, or a place one that there is not.
    Place,
    /// A cartridge has no place.
    NoPlace,
    /// There are no files of a cartridge.
    NoFiles,
    /// The metadata of a cartridge cannot be read.
    Unreadable,
    /// A cartridge's own metadata say something else of it than was recorded.
    Corrected,
    /// A cartridge comes back as it was before a delta of its manifest that cannot be used.
    Cut,
    /// Nothing of a cartridge was ever in the tier.
    Blank,
    /// Nothing can be made of what the tier has of a cartridge.
    Lost,
    /// A segment is not in the tier.
    NoObject,
    /// Another gateway goes on with a cartridge.
    Elsewhere,
    /// Whose a barcode is cannot be told.
    BadClaim,
    /// Cartridges were not asked for.
    NotAsked,
}

impl RemarkKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Uncertain,
        Self::NewIdentity,
        Self::Found,
        Self::SameBarcode,
        Self::Place,
        Self::NoPlace,
        Self::NoFiles,
        Self::Unreadable,
        Self::Corrected,
        Self::Cut,
        Self::Blank,
        Self::Lost,
        Self::NoObject,
        Self::Elsewhere,
        Self::BadClaim,
        Self::NotAsked,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uncertain => "uncertain",
            Self::NewIdentity => "new_identity",
            Self::Found => "found",
            Self::SameBarcode => "same_barcode",
            Self::Place => "place",
            Self::NoPlace => "no_place",
            Self::NoFiles => "no_files",
            Self::Unreadable => "unreadable",
            Self::Corrected => "corrected",
            Self::Cut => "cut",
            Self::Blank => "blank",
            Self::Lost => "lost",
            Self::NoObject => "no_object",
            Self::Elsewhere => "elsewhere",
            Self::BadClaim => "bad_claim",
            Self::NotAsked => "not_asked",
        }
    }
}
