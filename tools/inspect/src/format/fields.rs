//! Fixed layouts: numbers at offsets, and how a layout proves itself.

use thiserror::Error;

/// Why bytes are not what they should be.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum Bad {
    /// There are fewer bytes than the layout has.
    #[error("it is cut off after {0} bytes")]
    Short(usize),
    /// It is something else, or its beginning is damaged.
    #[error("it does not begin with {0}")]
    Magic(&'static str),
    /// It was written by a later release.
    #[error("it is of version {0}, and this program knows {1}: a newer release is needed")]
    Newer(u16, u16),
    /// A checksum or hash is not that of the bytes.
    #[error("the {0} does not match")]
    Checksum(&'static str),
    /// A field holds what it may not hold.
    #[error("its {0} is {1}, which cannot be")]
    Field(&'static str, u64),
}

/// Bytes of a layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Any bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A layout of `length` bytes that begins with a magic and ends with a CRC of all before it.
    pub(crate) fn proven(
        bytes: &'a [u8],
        length: usize,
        magic: &'static str,
        versions: std::ops::RangeInclusive<u16>,
    ) -> Result<Self, Bad> {
        let fields = Self(bytes.get(..length).ok_or(Bad::Short(bytes.len()))?);
        if !fields.0.starts_with(magic.as_bytes()) {
            return Err(Bad::Magic(magic));
        }
        let version = fields.u16(8)?;
        if version > *versions.end() {
            return Err(Bad::Newer(version, *versions.end()));
        }
        fields.check_crc(length - 4, "checksum")?;
        if versions.contains(&version) { Ok(fields) } else { Err(Bad::Field("version", version.into())) }
    }

    /// The CRC at `at` is that of everything before it.
    pub(crate) fn check_crc(&self, at: usize, what: &'static str) -> Result<(), Bad> {
        let before = self.0.get(..at).ok_or(Bad::Short(self.0.len()))?;
        if crc32c::crc32c(before) == self.u32(at)? { Ok(()) } else { Err(Bad::Checksum(what)) }
    }

    /// That many bytes.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Bad> {
        let bytes = at.checked_add(N).and_then(|end| self.0.get(at..end));
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Bad::Short(self.0.len()))
    }

    /// The bytes from one offset to another.
    pub(crate) fn slice(&self, at: usize, length: usize) -> Result<&'a [u8], Bad> {
        let end = at.checked_add(length).ok_or(Bad::Short(self.0.len()))?;
        self.0.get(at..end).ok_or(Bad::Short(self.0.len()))
    }

    pub(crate) fn u8(&self, at: usize) -> Result<u8, Bad> {
        Ok(self.array::<1>(at)?[0])
    }

    pub(crate) fn u16(&self, at: usize) -> Result<u16, Bad> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    pub(crate) fn u32(&self, at: usize) -> Result<u32, Bad> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    pub(crate) fn u64(&self, at: usize) -> Result<u64, Bad> {
        Ok(u64::from_le_bytes(self.array(at)?))
    }

    /// Text that ends with its field or at the first zero.
    pub(crate) fn text(&self, at: usize, length: usize, what: &'static str) -> Result<String, Bad> {
        let bytes = self.slice(at, length)?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(length);
        let text = bytes.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = text.filter(|text| !text.is_empty() && !text.chars().any(char::is_control));
        text.map(str::to_owned).ok_or(Bad::Field(what, 0))
    }
}

/// A length in memory from a length in a file.
pub(crate) fn size(length: impl TryInto<usize>) -> Result<usize, Bad> {
    length.try_into().map_err(|_| Bad::Field("length", u64::MAX))
}
