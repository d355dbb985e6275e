//! The label on a cartridge, as the changer's reader reports it.

use std::fmt;
use std::str::FromStr;

/// A volume identifier: 1 to 32 characters of `A-Z 0-9 - _ $ . +`, upper case.
///
/// SMC reports it in a field of 32 bytes padded with spaces [SMC-3 primary volume tag]; backup software and
/// file names restrict the alphabet further, so blanks and lower case are refused at creation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Barcode(Box<str>);

/// Why a text is no barcode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    /// Nothing, or more than 32 characters.
    #[error("a barcode has 1 to 32 characters, this one has {0}")]
    Length(usize),
    /// A character that the barcode alphabet lacks.
    #[error("{0:?} is not allowed in a barcode (A-Z, 0-9, - _ $ . +)")]
    Character(char),
}

impl Barcode {
    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// [`BarcodeError`] names the length or the first character that is not allowed.
    pub fn new(text: &str) -> Result<Self, BarcodeError> {
        let count = text.chars().count();
        if count == 0 || count > 32 {
            return Err(BarcodeError::Length(count));
        }
        let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_$.+".contains(c);
        match text.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(BarcodeError::Character(c)),
            None if text.starts_with('.') => Err(BarcodeError::Character('.')),
            None => Ok(Self(text.into())),
        }
    }

    /// The text, without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Barcode({})", self.0)
    }
}

impl FromStr for Barcode {
    type Err = BarcodeError;

    fn from_str(text: &str) -> Result<Self, BarcodeError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_labels_carry_and_names_what_they_do_not() {
        assert_eq!(Barcode::new("CAP001L8").unwrap().as_str(), "CAP001L8");
        assert_eq!(Barcode::new(""), Err(BarcodeError::Length(0)));
        assert_eq!(Barcode::new(&"A".repeat(33)), Err(BarcodeError::Length(33)));
        assert_eq!(Barcode::new("cap"), Err(BarcodeError::Character('c')));
        assert_eq!(Barcode::new("A/B"), Err(BarcodeError::Character('/')));
        assert_eq!(Barcode::new(".."), Err(BarcodeError::Character('.')));
    }
}
