//! Reading an object where it lies.

use std::ops::Range;

use bytes::Bytes;

use super::{ObjectError, Opener, TAIL_LENGTH};
use crate::{CartridgeKey, SegmentId, Tier, TierError};

/// An object in a tier cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The tier failed. Nothing was retried.
    #[error(transparent)]
    Tier(#[from] TierError),
    /// What the tier has is not what was written.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Opener {
    /// Reads the footer of an object of `object_length` bytes, which the manifest or [`Tier::head`] knows: one ranged
    /// read, or two where a footer is longer than [`TAIL_LENGTH`].
    ///
    /// # Errors
    /// The tier's, or as [`Opener::new`].
    pub async fn fetch(
        tier: &dyn Tier,
        name: &str,
        object_length: u64,
        expected: SegmentId,
        key: Option<&CartridgeKey>,
    ) -> Result<Self, OpenError> {
        let mut length = TAIL_LENGTH.min(object_length);
        loop {
            let tail = tier.read(name, object_length.saturating_sub(length)..object_length).await?;
            match Self::new(name, &tail, object_length, expected, key) {
                Err(error) => match error.needs() {
                    Some(needed) if needed > length && needed <= object_length => length = needed,
                    _ => return Err(error.into()),
                },
                Ok(opener) => return Ok(opener),
            }
        }
    }

    /// Bytes of the segment, by one ranged read; less than asked for at the end of the segment. The frames around them
    /// are in memory meanwhile.
    ///
    /// # Errors
    /// The tier's, or which frame is damaged.
    pub async fn read(&self, tier: &dyn Tier, plain: Range<u64>) -> Result<Bytes, OpenError> {
        let frames = self.frames_of(plain.clone());
        if frames.is_empty() {
            return Ok(Bytes::new());
        }
        let stored = tier.read(&self.name, self.stored_range(frames.clone())).await?;
        let begin = self.plain_offset(frames.start);
        let bytes = Bytes::from(self.open_run(frames, &stored)?.concat());
        let inside = |offset: u64| usize::try_from(offset.saturating_sub(begin)).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.slice(inside(plain.start)..inside(plain.end)))
    }
}
