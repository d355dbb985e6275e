//! What the mover tells whoever listens.

use std::fmt;
use std::sync::Arc;

use capstan_media::Barcode;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoticeKind {
    /// Calls to a tier fail.
    TierUnavailable,
    /// They succeed again.
    TierAvailable,
    /// A tier is not what it was.
    TierRefused,
    /// Another gateway goes on with this cartridge.
    Fenced,
    /// This cartridge has data that is nowhere but here, and another gateway goes on with it.
    Forked,
    /// A cartridge was given away.
    HandedOver,
    /// A cartridge was taken over.
    Adopted,
    /// The tier has a newer state of this library.
    LibraryFenced,
    /// A segment or a manifest cannot be shipped, for a reason that does not go away by itself.
    NotShipped,
    /// What was evicted cannot be read.
    RecallFailed,
    /// An older version of a tape is gone.
    VersionForgotten,
    /// A cartridge that was not unloaded properly was looked through.
    Recovered,
    /// An area cannot be read or written.
    AreaFailed,
    /// The array under an area has lost a disk.
    AreaDegraded,
    /// An area is well again.
    AreaRecovered,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// The cartridge that it concerns.
    pub barcode: Option<Barcode>,
    /// For a person.
    pub text: String,
}

/// Who is told. It never waits.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Notice) + Send + Sync>);

impl Listener {
    /// Tells `tell`, which must not wait.
    pub fn new(tell: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, kind: NoticeKind, barcode: Option<&Barcode>, text: impl Into<String>) {
        (self.0)(Notice { kind, barcode: barcode.cloned(), text: text.into() });
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
