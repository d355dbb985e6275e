//! Text that comes in several PDUs.

use super::TextError;

/// Collects the data segments of PDUs with the C bit and the one after them, up to a bound. [RFC 7143 6.2]
#[derive(Clone, Debug)]
pub struct Joiner {
    limit: usize,
    bytes: Vec<u8>,
}

impl Joiner {
    /// Takes up to `limit` bytes in all.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new() }
    }

    /// Adds a data segment.
    ///
    /// # Errors
    /// [`TextError::TooLong`] when the sum would exceed the bound; what was collected is forgotten.
    pub fn add(&mut self, data: &[u8]) -> Result<(), TextError> {
        if self.bytes.len().saturating_add(data.len()) > self.limit {
            self.bytes = Vec::new();
            return Err(TextError::TooLong { limit: self.limit });
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// Whether something was collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What was collected; the joiner is empty after this.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_up_to_the_bound() {
        let mut joiner = Joiner::new(8);
        joiner.add(b"Key=").unwrap();
        joiner.add(b"val\0").unwrap();
        assert_eq!(joiner.add(b"x"), Err(TextError::TooLong { limit: 8 }));
        assert!(joiner.is_empty());
        joiner.add(b"A=b\0").unwrap();
        assert_eq!(joiner.take(), b"A=b\0");
        assert!(joiner.is_empty());
    }
}
