//! Reading `key=value` pairs.

use std::str;

/// Longest key, bytes. [RFC 7143 6.1]
pub const MAX_KEY_LENGTH: usize = 63;

/// Longest value that is read at all, bytes. Most keys allow 255 only; binary ones of authentication more.
pub const MAX_VALUE_LENGTH: usize = 8192;

/// One pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair<'a> {
    /// The key: letters, digits, and a few marks.
    pub key: &'a str,
    /// The value, possibly empty.
    pub value: &'a str,
}

/// Text that is not a row of `key=value` pairs, each ended by a zero byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// The last pair has no zero byte after it.
    #[error("text does not end with a zero byte")]
    Unterminated,
    /// A pair has no equals sign.
    #[error("text without an equals sign")]
    NoValue,
    /// A key is empty, longer than [`MAX_KEY_LENGTH`], or holds what a key may not.
    #[error("malformed key")]
    Key,
    /// A value is longer than [`MAX_VALUE_LENGTH`] or not UTF-8.
    #[error("malformed value")]
    Value,
    /// More than the receiver's bound in all.
    #[error("text longer than {limit} bytes")]
    TooLong {
        /// The bound, bytes.
        limit: usize,
    },
}

/// The pairs in `data`; ends after the first error. Superfluous zero bytes are passed over.
pub fn pairs(mut data: &[u8]) -> impl Iterator<Item = Result<Pair<'_>, TextError>> {
    std::iter::from_fn(move || {
        while let [0, rest @ ..] = data {
            data = rest;
        }
        if data.is_empty() {
            return None;
        }
        let result = first(data);
        data = match &result {
            Ok((_, rest)) => rest,
            Err(_) => &[],
        };
        Some(result.map(|(pair, _)| pair))
    })
}

fn first(data: &[u8]) -> Result<(Pair<'_>, &[u8]), TextError> {
    let end = data.iter().position(|byte| *byte == 0).ok_or(TextError::Unterminated)?;
    let (text, rest) = data.split_at_checked(end).ok_or(TextError::Unterminated)?;
    let equals = text.iter().position(|byte| *byte == b'=').ok_or(TextError::NoValue)?;
    let (key, value) = text.split_at_checked(equals).ok_or(TextError::NoValue)?;
    let value = value.get(1..).unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY_LENGTH || !key.iter().copied().all(in_key) {
        return Err(TextError::Key);
    }
    if value.len() > MAX_VALUE_LENGTH {
        return Err(TextError::Value);
    }
    let key = str::from_utf8(key).map_err(|_| TextError::Key)?;
    let value = str::from_utf8(value).map_err(|_| TextError::Value)?;
    Ok((Pair { key, value }, rest.get(1..).unwrap_or_default()))
}

/// Characters of a standard label, and `#` of vendors' `X#` keys. [RFC 7143 6.1, 13.22]
fn in_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-+@_#".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(data: &[u8]) -> Result<Vec<(String, String)>, TextError> {
        pairs(data).map(|pair| pair.map(|pair| (pair.key.to_owned(), pair.value.to_owned()))).collect()
    }

    #[test]
    fn golden_pairs() {
        let data = b"InitiatorName=iqn.1993-08.org.debian:01:a=b\0SessionType=Normal\0\0TargetAlias=\0\0";
        let expected =
            [("InitiatorName", "iqn.1993-08.org.debian:01:a=b"), ("SessionType", "Normal"), ("TargetAlias", "")];
        assert_eq!(all(data).unwrap(), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(all(b"").unwrap(), []);
    }

    #[test]
    fn malformed_text() {
        assert_eq!(all(b"A=b"), Err(TextError::Unterminated));
        assert_eq!(all(b"A\0"), Err(TextError::NoValue));
        assert_eq!(all(b"=b\0"), Err(TextError::Key));
        assert_eq!(all(b"A b=c\0"), Err(TextError::Key));
        assert_eq!(all(b"A=\xff\0"), Err(TextError::Value));
        let key_63 = "k".repeat(63) + "=v\0";
        assert_eq!(all(key_63.as_bytes()).unwrap().len(), 1);
        let key_64 = "k".repeat(64) + "=v\0";
        assert_eq!(all(key_64.as_bytes()), Err(TextError::Key));
        let long = "k=".to_owned() + &"v".repeat(8193) + "\0";
        assert_eq!(all(long.as_bytes()), Err(TextError::Value));
    }

    proptest! {
        #[test]
        fn any_bytes_end(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(pairs(&data).count() <= data.len());
        }
    }
}
