//! A part of what is there, read and proved: whether a restore would succeed.

use bytes::Bytes;
use capstan_format::manifest::Row;
use capstan_format::segment::Header;
use capstan_tier::names::{SegmentName, TapeName};
use capstan_tier::{Opener, SegmentId};

use super::{Look, Remains, TapeFound, Told};
use crate::MoverError;

/// Which objects are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Of a hundred objects of each tape so many, and at least one.
    pub percent: u8,
    /// Decides which.
    pub seed: u64,
}

/// What came of reading them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rehearsal {
    /// Objects that were read and proved.
    pub good: u64,
    /// Bytes of them, as they are stored.
    pub bytes: u64,
    /// Those that cannot be read: which, and why.
    pub bad: Vec<String>,
}

impl Remains {
    /// Reads a sample of the objects of tapes, each from beginning to end: hash, decryption, decompression, and whether
    /// it is the segment that the manifest says.
    ///
    /// # Errors
    /// The tier failed.
    pub fn rehearse(&self, tapes: &[TapeFound], sample: Sample, told: Told<'_>) -> Result<Rehearsal, MoverError> {
        let mut wanted = Vec::new();
        for found in tapes {
            let missing = |row: &Row| found.missing.iter().any(|gone| gone.sequence == row.sequence);
            let rows = found.chain.manifest.iter().flat_map(|manifest| manifest.rows.values());
            let rows: Vec<Row> = rows.filter(|row| !missing(row)).cloned().collect();
            let key = self.look.open_key(&found.tape, &found.wrapped).ok().flatten();
            let chosen = sample.choose(rows.len(), &found.tape);
            let chosen = chosen.into_iter().filter_map(|index| rows.get(index).cloned());
            wanted.extend(chosen.map(|row| (found.owner(row.sequence), row, key.clone())));
        }
        let read = self.each(wanted, told, |look, (tape, row, key)| async move {
            Ok((row.object_length, look.prove(&tape, &row, key.as_ref()).await))
        })?;
        let mut done = Rehearsal::default();
        for (length, proved) in read {
            match proved {
                Ok(()) => {
                    done.good = done.good.saturating_add(1);
                    done.bytes = done.bytes.saturating_add(length);
                }
                Err(error) => done.bad.push(error),
            }
        }
        Ok(done)
    }
}

impl Look {
    async fn prove(&self, tape: &TapeName, row: &Row, key: Option<&capstan_tier::CartridgeKey>) -> Result<(), String> {
        let (sequence, epoch) = (row.sequence, row.epoch);
        let name = self.names.segment(tape, SegmentName { sequence, epoch, random: row.random });
        let bytes = self.link.recall(&name, 0..row.object_length).await.map_err(|error| error.to_string())?;
        let (row, key, cartridge) = (row.clone(), key.cloned(), tape.cartridge);
        let expected = SegmentId { cartridge, sequence, epoch };
        let proved = tokio::task::spawn_blocking(move || prove(&name, &bytes, &row, expected, key.as_ref()));
        proved.await.map_err(|error| error.to_string())?
    }
}

/// Whether these are the bytes of that object, and it holds the segment of that row.
fn prove(
    name: &str,
    bytes: &Bytes,
    row: &Row,
    expected: SegmentId,
    key: Option<&capstan_tier::CartridgeKey>,
) -> Result<(), String> {
    if blake3::hash(bytes).as_bytes() != &row.object_hash {
        return Err(format!("{name}: its BLAKE3 hash is not the one that the manifest has"));
    }
    let said = |error: capstan_tier::ObjectError| error.to_string();
    let opener = Opener::new(name, bytes, row.object_length, expected, key).map_err(said)?;
    let mut beginning = Vec::new();
    opener
        .open_whole(bytes, |plain| {
            if beginning.is_empty() {
                beginning.extend_from_slice(plain);
            }
            Ok(())
        })
        .map_err(said)?;
    let header = Header::decode(&beginning).map_err(|error| format!("{name}: {error}"))?;
    if (header.sequence, header.epoch, header.start) != (row.sequence, row.epoch, row.start) {
        return Err(format!("{name}: it holds segment {}, not the one that the manifest says", header.sequence));
    }
    Ok(())
}

impl Sample {
    /// Some of so many objects of a tape, each as likely as any other: the same ones for the same seed.
    fn choose(self, count: usize, tape: &TapeName) -> Vec<usize> {
        let wanted = count.saturating_mul(usize::from(self.percent)).div_ceil(100).min(count);
        let mut state = self.seed;
        for byte in tape.cartridge.0 {
            state = mix(state ^ u64::from(byte));
        }
        let mut left: Vec<usize> = (0..count).collect();
        let mut chosen = Vec::new();
        while chosen.len() < wanted && !left.is_empty() {
            state = mix(state);
            let length = u64::try_from(left.len()).unwrap_or(u64::MAX);
            let at = usize::try_from(state % length.max(1)).unwrap_or(0);
            chosen.push(left.swap_remove(at));
        }
        chosen.sort_unstable();
        chosen
    }
}

/// The next of a sequence of numbers that look random (SplitMix64).
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let one = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let two = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    two ^ (two >> 31)
}

#[cfg(test)]
mod tests {
    use capstan_media::{Barcode, CartridgeId};

    use super::*;

    #[test]
    fn a_sample_is_as_large_as_asked_and_the_same_for_the_same_seed() {
        let tape = |id| TapeName { barcode: Barcode::new("A").unwrap(), cartridge: CartridgeId([id; 16]) };
        let choose = |percent, seed, count, id| Sample { percent, seed }.choose(count, &tape(id));
        assert_eq!(choose(100, 1, 5, 1), [0, 1, 2, 3, 4]);
        assert_eq!((choose(10, 1, 0, 1), choose(1, 1, 3, 1).len()), (vec![], 1));
        assert_eq!(choose(10, 1, 101, 1).len(), 11);
        assert_eq!(choose(10, 7, 100, 1), choose(10, 7, 100, 1));
        assert_ne!(choose(10, 7, 100, 1), choose(10, 8, 100, 1));
        assert_ne!(choose(10, 7, 100, 1), choose(10, 7, 100, 2));
        let seen: std::collections::BTreeSet<usize> = (0..100).flat_map(|seed| choose(5, seed, 40, 1)).collect();
        assert_eq!(seen.len(), 40, "each comes at some time");
    }
}
