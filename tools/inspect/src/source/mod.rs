//! Where objects are: a directory or a bucket. Keys are those of `object-v1.md`, without the prefix.

mod dir;
mod s3;

use std::path::Path;

use crate::cli::Options;
use crate::error::Error;

pub(crate) use dir::Directory;
use s3::Bucket;

/// An object in a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Listed {
    pub(crate) key: String,
    pub(crate) length: u64,
}

/// The source that somebody names.
pub(crate) fn open(name: &str, options: &Options) -> Result<Box<dyn Source>, Error> {
    match name.split_once("://") {
        Some(("s3", location)) => Ok(Box::new(Bucket::open(location, options)?)),
        Some((scheme, _)) => {
            Err(Error::Usage(format!("{scheme}: cannot be read: a tier is a directory or s3://BUCKET[/PREFIX]")))
        }
        None => Ok(Box::new(Directory::open(Path::new(name))?)),
    }
}

/// Something that holds objects. It is only read.
pub(crate) trait Source {
    /// As it was asked for.
    fn name(&self) -> String;

    /// Every object whose key begins with a prefix that ends with `/`, in order.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error>;

    /// The names directly below a prefix that have something below them, in order.
    fn folders(&self, prefix: &str) -> Result<Vec<String>, Error>;

    /// How long an object is.
    fn length(&self, key: &str) -> Result<u64, Error>;

    /// That many bytes from an offset on, or fewer if the object ends before.
    fn range(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error>;

    /// All of an object, if it has at most `limit` bytes.
    fn whole(&self, key: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.range(key, 0, limit.saturating_add(1))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
            return Ok(bytes);
        }
        Err(crate::error::Damage::new(key, format_args!("it is longer than {limit} bytes")).into())
    }
}
