//! The index of a segment (`segment-v1.md`).

use super::fields::Bad;
use super::{MAX_BLOCK, RECORD};

/// Records that are alike, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) kind: RunKind,
    /// How many records; of lost bytes, 1.
    pub(crate) records: u64,
}

/// What records of a run are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RunKind {
    /// A block of that length each.
    Blocks { length: u64 },
    /// That many filemarks, written by one command.
    Filemarks { count: u64 },
    /// Bytes without a readable record, and the objects lost in them.
    Lost { bytes: u64, objects: u64 },
}

impl Run {
    /// Bytes of one of its records, header and all.
    pub(crate) fn record_bytes(&self) -> u64 {
        match self.kind {
            RunKind::Blocks { length } => RECORD + length,
            RunKind::Filemarks { .. } => RECORD,
            RunKind::Lost { bytes, .. } => bytes,
        }
    }

    /// Objects in one of its records.
    pub(crate) fn record_objects(&self) -> u64 {
        match self.kind {
            RunKind::Blocks { .. } => 1,
            RunKind::Filemarks { count } => count,
            RunKind::Lost { objects, .. } => objects,
        }
    }
}

/// The entries of an index that describes exactly so many bytes of records and so many objects.
pub(crate) fn parse_index(mut index: &[u8], bytes: u64, objects: u64) -> Result<Vec<Run>, Bad> {
    let mut runs = Vec::new();
    let (mut described, mut counted) = (0_u64, 0_u64);
    while !index.is_empty() {
        let first = number(&mut index)?;
        let value = first >> 2;
        let run = match first & 3 {
            0 => Run { kind: RunKind::Blocks { length: value }, records: 1 },
            1 => Run { kind: RunKind::Blocks { length: value }, records: number(&mut index)? },
            2 => Run { kind: RunKind::Filemarks { count: value }, records: 1 },
            _ => Run { kind: RunKind::Lost { bytes: value, objects: number(&mut index)? }, records: 1 },
        };
        let fits = match run.kind {
            RunKind::Blocks { length } => (1..=MAX_BLOCK).contains(&length) && run.records > 0,
            RunKind::Filemarks { count } => count > 0,
            RunKind::Lost { .. } => true,
        };
        let add = |sum: u64, each: u64| each.checked_mul(run.records).and_then(|all| sum.checked_add(all));
        let sums = add(described, run.record_bytes()).zip(add(counted, run.record_objects()));
        let Some((all_bytes, all_objects)) = sums.filter(|_| fits) else {
            return Err(Bad::Field("entry of the index", first));
        };
        (described, counted) = (all_bytes, all_objects);
        runs.push(run);
    }
    if described != bytes {
        return Err(Bad::Field("sum of bytes in the index", described));
    }
    if counted != objects {
        return Err(Bad::Field("sum of objects in the index", counted));
    }
    Ok(runs)
}

/// Groups of seven bits, lowest first.
fn number(bytes: &mut &[u8]) -> Result<u64, Bad> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let Some((&byte, rest)) = bytes.split_first() else { return Err(Bad::Short(0)) };
        *bytes = rest;
        let group = u64::from(byte & 0x7f);
        if (group << shift) >> shift != group {
            return Err(Bad::Field("number in the index", group));
        }
        value |= group << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Bad::Field("number in the index", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_runs() {
        // 3 blocks of 200 bytes, one of 5, 2 filemarks at once, a marker.
        let index = [0xa1, 0x06, 0x03, 0x14, 0x0a, 0xc3, 0x01, 0x00];
        let bytes = 3 * 248 + 53 + 48 + 48;
        let runs = parse_index(&index, bytes, 6).unwrap();
        let kinds: Vec<_> = runs.iter().map(|run| (run.kind, run.records)).collect();
        assert_eq!(
            kinds,
            [
                (RunKind::Blocks { length: 200 }, 3),
                (RunKind::Blocks { length: 5 }, 1),
                (RunKind::Filemarks { count: 2 }, 1),
                (RunKind::Lost { bytes: 48, objects: 0 }, 1),
            ]
        );
        assert_eq!(parse_index(&index, bytes + 1, 6), Err(Bad::Field("sum of bytes in the index", bytes)));
        assert_eq!(parse_index(&index, bytes, 7), Err(Bad::Field("sum of objects in the index", 6)));
    }

    #[test]
    fn a_number_that_does_not_end_or_fit_is_refused() {
        assert_eq!(parse_index(&[0x80], 0, 0), Err(Bad::Short(0)));
        assert!(parse_index(&[0xff; 12], 0, 0).is_err());
        // Blocks of no bytes, and so many blocks that their bytes overflow.
        assert!(parse_index(&[0x00], 48, 1).is_err());
        assert!(parse_index(&[0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 0, 0).is_err());
    }
}
