//! Small objects that decide what is whose: created, and known to be there as they were sent.
//!
//! Their keys are given, so that one that a tier has spoiled cannot be sent again under another. It is replaced, but only
//! if it is certain that it is ours: the tier has just said that we created it, or it has random bytes in it that nobody
//! but us has drawn. What is neither ours nor whole is left as it is, for a person to look at.

use bytes::Bytes;
use capstan_tier::{Body, Created, TierError, TierErrorKind};

use crate::link::Link;

/// How often a spoiled object is replaced, and a spoiled answer asked for again.
const ATTEMPTS: u32 = 4;

/// What is under a key now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Placed {
    /// What was given.
    Ours,
    /// Something else, which was there before.
    Other(Bytes),
}

impl Link {
    /// Creates an object. `mark` are random bytes in it; `read_back`: what the tier took is read.
    pub(crate) async fn place(
        &self,
        key: &str,
        bytes: &Bytes,
        mark: &[u8],
        read_back: bool,
    ) -> Result<Placed, TierError> {
        for _ in 0..ATTEMPTS {
            let created = self.create(key, Body::from(bytes.clone())).await?;
            if created == Created::New && !read_back {
                return Ok(Placed::Ours);
            }
            match self.look(key, bytes).await? {
                // Somebody has removed it; or it was never there, whatever the tier says.
                None => {}
                Some(there) if there == bytes => return Ok(Placed::Ours),
                Some(there) if created == Created::New || carries(&there, mark) => {
                    tracing::error!(key, "what was stored is not what was sent; it is replaced");
                    self.delete(key).await?;
                }
                Some(there) => return Ok(Placed::Other(there)),
            }
        }
        let message = "what is stored is not what was sent, each time";
        Err(TierError::new(TierErrorKind::Corrupt, "create", key, message.to_owned()))
    }

    /// Reads all of a small object; `None` if there is none. What is not as expected is believed if it comes twice.
    pub(crate) async fn look(&self, key: &str, expected: &[u8]) -> Result<Option<Bytes>, TierError> {
        self.look_for(key, |there| there == expected).await
    }

    /// The same, where what is expected proves itself.
    pub(crate) async fn look_for(
        &self,
        key: &str,
        is_good: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Bytes>, TierError> {
        let mut before: Option<Bytes> = None;
        let mut problem = None;
        for _ in 0..ATTEMPTS {
            match self.look_once(key).await {
                Ok(there) if is_good(&there) || before.as_ref() == Some(&there) => return Ok(Some(there)),
                Ok(there) => before = Some(there),
                Err(error) if error.kind == TierErrorKind::NotFound => return Ok(None),
                Err(error) if error.kind == TierErrorKind::Corrupt => problem = Some(error),
                Err(error) => return Err(error),
            }
        }
        let differs = || TierError::new(TierErrorKind::Corrupt, "read", key, "other bytes come each time".to_owned());
        Err(problem.unwrap_or_else(differs))
    }

    async fn look_once(&self, key: &str) -> Result<Bytes, TierError> {
        let length = self.head(key).await?.length;
        if length == 0 { Ok(Bytes::new()) } else { self.read(key, 0..length).await }
    }
}

/// Whether those random bytes are in it.
pub(crate) fn carries(bytes: &[u8], mark: &[u8]) -> bool {
    !mark.is_empty() && bytes.windows(mark.len()).any(|window| window == mark)
}
