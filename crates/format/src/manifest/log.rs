//! `shipped`: the deltas of a cartridge as one file.

use super::{Delta, Kind};
use crate::{FormatError, wide};

/// What a log holds, up to where it stops making sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// The deltas, beginning with a checkpoint, numbers one after the other.
    pub deltas: Vec<Delta>,
    /// Bytes of them: where the next one belongs.
    pub length: u64,
    /// What follows.
    pub ending: Ending,
}

/// What follows the last good delta of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing.
    Whole,
    /// The beginning of a delta that a crash cut off, or what was in its place before.
    Torn(FormatError),
    /// Something that hides later deltas, or does not belong there.
    Damaged(FormatError),
}

/// Reads a log from its beginning.
#[must_use]
pub fn read_log(bytes: &[u8]) -> Log {
    let mut log = Log { deltas: Vec::new(), length: 0, ending: Ending::Whole };
    let mut rest = bytes;
    while !rest.is_empty() {
        match Delta::decode_first(rest) {
            Ok((delta, after)) if log.continues_with(&delta) => {
                log.deltas.push(delta);
                rest = after;
            }
            Ok(_) => {
                log.ending = Ending::Damaged(FormatError::Field("number"));
                break;
            }
            Err(error) => {
                let hidden = log.is_continued_in(rest);
                log.ending = if hidden { Ending::Damaged(error) } else { Ending::Torn(error) };
                break;
            }
        }
    }
    log.length = wide(bytes.len().saturating_sub(rest.len()));
    log
}

impl Log {
    fn continues_with(&self, delta: &Delta) -> bool {
        match self.deltas.last() {
            None => delta.kind == Kind::Checkpoint,
            Some(last) => last.cartridge == delta.cartridge && last.number.checked_add(1) == Some(delta.number),
        }
    }

    /// Whether behind the place where `rest` begins a later delta proves itself.
    fn is_continued_in(&self, rest: &[u8]) -> bool {
        let last = self.deltas.last();
        let is_later =
            |delta: &Delta| last.is_none_or(|last| delta.cartridge == last.cartridge && delta.number > last.number);
        let places = rest.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'C');
        let mut candidates = places.filter_map(|(at, _)| Delta::decode_first(rest.get(at..)?).ok());
        candidates.any(|(delta, _)| is_later(&delta))
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::delta;
    use super::*;

    fn entries() -> Vec<Delta> {
        vec![
            delta(64, Kind::Checkpoint, &[1], &[]),
            delta(65, Kind::Delta, &[2], &[1]),
            delta(66, Kind::Delta, &[], &[]),
        ]
    }

    fn file() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for delta in entries() {
            bytes.extend(delta.encode());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_whole_log_and_an_empty_one() {
        let (bytes, _) = file();
        let length = wide(bytes.len());
        assert_eq!(read_log(&bytes), Log { deltas: entries(), length, ending: Ending::Whole });
        assert_eq!(read_log(&[]), Log { deltas: Vec::new(), length: 0, ending: Ending::Whole });
    }

    #[test]
    fn a_cut_anywhere_is_a_torn_tail_and_loses_no_delta_before_it() {
        let (bytes, ends) = file();
        for cut in 0..bytes.len() {
            let log = read_log(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(log.deltas, entries()[..whole], "cut at {cut}");
            assert_eq!(log.length, wide(whole.checked_sub(1).map_or(0, |last| ends[last])), "cut at {cut}");
            let clean = cut == 0 || ends.contains(&cut);
            assert_eq!(log.ending == Ending::Whole, clean, "cut at {cut}");
            assert!(clean || matches!(log.ending, Ending::Torn(FormatError::Short { .. })), "cut at {cut}");
        }
        let zeros = [&bytes[..ends[1]], &[0; 700]].concat();
        assert_eq!(read_log(&zeros).ending, Ending::Torn(FormatError::Magic("manifest delta")));
    }

    #[test]
    fn a_change_before_the_last_delta_is_damage_and_in_the_last_one_a_torn_tail() {
        let (bytes, ends) = file();
        for at in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let log = read_log(&damaged);
            let good = ends.iter().filter(|end| **end <= at).count();
            assert_eq!(log.deltas, entries()[..good], "changed at {at}");
            let torn = good == 2;
            assert_eq!(matches!(log.ending, Ending::Torn(_)), torn, "changed at {at}");
            assert_eq!(matches!(log.ending, Ending::Damaged(_)), !torn, "changed at {at}");
        }
    }

    #[test]
    fn what_does_not_follow_is_damage() {
        let log = |deltas: &[Delta]| read_log(&deltas.iter().flat_map(Delta::encode).collect::<Vec<u8>>());
        let all = entries();
        let damaged = Ending::Damaged(FormatError::Field("number"));
        let gap = log(&[all[0].clone(), all[2].clone()]);
        assert_eq!((gap.deltas.len(), gap.ending), (1, damaged));
        let beginning = log(&all[1..]);
        assert_eq!((beginning.deltas.len(), beginning.length, beginning.ending), (0, 0, damaged));
        let twice = log(&[all[0].clone(), all[0].clone()]);
        assert_eq!((twice.deltas.len(), twice.ending), (1, damaged));
    }
}
