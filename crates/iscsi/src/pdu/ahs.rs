//! Additional header segments.

use crate::code::codes;

codes! {
    /// What an additional header segment holds. [RFC 7143 11.2.2.1]
    AhsType {
        /// The rest of a CDB of more than 16 bytes.
        EXTENDED_CDB = 1,
        /// How many bytes a bidirectional command may bring.
        BIDIRECTIONAL_READ_LENGTH = 2,
    }
}

/// One additional header segment. [RFC 7143 11.2.2]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ahs<'a> {
    /// AHSType.
    pub kind: AhsType,
    /// AHS-Specific: its AHSLength bytes, the first of which is reserved in both defined types.
    pub specific: &'a [u8],
}

/// The additional header segments in `bytes` (TotalAHSLength of them), until the first that does not fit.
pub fn segments(mut bytes: &[u8]) -> impl Iterator<Item = Result<Ahs<'_>, AhsError>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        match split(bytes) {
            Some((ahs, rest)) => {
                bytes = rest;
                Some(Ok(ahs))
            }
            None => {
                bytes = &[];
                Some(Err(AhsError))
            }
        }
    })
}

/// An additional header segment is longer than the header says all are together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("additional header segment beyond TotalAHSLength")]
pub struct AhsError;

fn split(bytes: &[u8]) -> Option<(Ahs<'_>, &[u8])> {
    let ([high, low, kind], rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let (specific, rest) = rest.split_at_checked(length)?;
    // AHSLength counts from the fourth byte; with the three before it the segment is padded to a multiple of 4.
    let padding = (4 - (length + 3) % 4) % 4;
    let (_, rest) = rest.split_at_checked(padding)?;
    Some((Ahs { kind: AhsType(*kind), specific }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bidirectional_read_length_then_extended_cdb() {
        let bytes = [0, 5, 2, 0, 0, 0, 2, 0, 0, 6, 1, 0, 1, 2, 3, 4, 5, 0, 0, 0];
        let all: Vec<_> = segments(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], Ahs { kind: AhsType::BIDIRECTIONAL_READ_LENGTH, specific: &[0, 0, 0, 2, 0] });
        assert_eq!(all[1], Ahs { kind: AhsType::EXTENDED_CDB, specific: &[0, 1, 2, 3, 4, 5] });
    }

    #[test]
    fn too_long_or_cut_is_an_error_once() {
        for bytes in [&[0, 6, 1, 0, 0, 0, 0, 0][..], &[0, 1], &[0, 2, 1, 0, 0]] {
            let all: Vec<_> = segments(bytes).collect();
            assert_eq!(all, [Err(AhsError)], "{bytes:?}");
        }
    }
}
