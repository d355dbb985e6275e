//! Writing `key=value` pairs.

use bytes::{BufMut as _, Bytes, BytesMut};

/// A data segment of pairs under construction.
#[derive(Clone, Debug, Default)]
pub struct TextBuilder {
    bytes: BytesMut,
}

impl TextBuilder {
    /// No pairs yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair.
    pub fn push(&mut self, key: &str, value: &str) {
        self.bytes.put_slice(key.as_bytes());
        self.bytes.put_u8(b'=');
        self.bytes.put_slice(value.as_bytes());
        self.bytes.put_u8(0);
    }

    /// Bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The data segment.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.bytes.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let mut text = TextBuilder::new();
        assert!(text.is_empty());
        text.push("TargetPortalGroupTag", "1");
        text.push("TargetAlias", "");
        assert_eq!(text.len(), 36);
        assert_eq!(&text.finish()[..], b"TargetPortalGroupTag=1\0TargetAlias=\0");
    }
}
