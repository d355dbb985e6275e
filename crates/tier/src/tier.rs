//! What an object store has to be able to do.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;

use crate::{Body, TierError};

/// Most keys in one [`Listing`].
pub const PAGE: usize = 1000;

/// The answer of a tier, when it comes. Dropping it gives the call up; what was asked may be done all the same.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, TierError>> + Send + 'a>>;

/// A store of objects that are created once, never changed, read by range, listed in the order of their keys, and
/// deleted. Its keys are those of [`crate::names`]. No call is repeated inside: see [`crate::Retry`].
///
/// After an error of `create` the object may be there or not, unless the kind of the error says otherwise
/// ([`crate::TierErrorKind::is_transient`] ones do not). Who repeats the call and is told that the key is taken has to
/// read the object to know whose it is.
pub trait Tier: Send + Sync + fmt::Debug {
    /// The tier's name in the configuration.
    fn name(&self) -> &str;

    /// Creates an object. All of it or nothing is there afterwards; [`Created::Exists`] if the key is taken, also by
    /// ourselves, and then what is there is as it was.
    fn create<'a>(&'a self, key: &'a str, body: Body) -> Pending<'a, Created>;

    /// Exactly the bytes of the range, or an error: never fewer. An empty range asks nothing.
    fn read<'a>(&'a self, key: &'a str, range: Range<u64>) -> Pending<'a, Bytes>;

    /// What is known of an object without reading it.
    fn head<'a>(&'a self, key: &'a str) -> Pending<'a, ObjectInfo>;

    /// The objects whose keys begin with `prefix` and are greater than `after`: a page of at most [`PAGE`], in the
    /// order of the bytes of their keys.
    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>) -> Pending<'a, Listing>;

    /// Deletes an object. That there is none is fine.
    fn delete<'a>(&'a self, key: &'a str) -> Pending<'a, ()>;
}

/// What became of a [`Tier::create`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Created {
    /// The object is there now, durably, with the bytes that were given.
    New,
    /// There was one before.
    Exists,
}

/// What is known of an object without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectInfo {
    /// Bytes.
    pub length: u64,
    /// The store's name for this content, where it has one.
    pub etag: Option<String>,
    /// Storage class, where the store has any: `None` can be read at once.
    pub class: Option<String>,
    /// When it was created, where the store says so.
    pub last_modified: Option<SystemTime>,
}

/// An object in a [`Listing`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub length: u64,
}

/// A page of [`Tier::list`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Listing {
    /// In the order of the bytes of their keys.
    pub objects: Vec<Listed>,
    /// There may be more: what to give as `after` for the next page.
    pub next: Option<String>,
}
