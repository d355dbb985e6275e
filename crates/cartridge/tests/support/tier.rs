//! A tier that keeps segments in memory, for cartridges whose segments are evicted.
#![allow(clippy::panic)]

use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::sync::{Arc, Mutex};

use capstan_cartridge::Cartridge;
use capstan_disk::File;
use capstan_format::manifest::{Delta, Kind, Row, read_log};
use capstan_format::segment::{Header, TRAILER_LENGTH, Trailer};
use capstan_media::GatewayId;
use capstan_store::{Evicted, Recall, Store};

use super::{ID, Random};

/// Segments by number.
#[derive(Clone, Debug, Default)]
pub struct Tier {
    segments: Arc<Mutex<HashMap<u64, Arc<Vec<u8>>>>>,
}

impl Recall for Tier {
    fn open(&self, wanted: &Evicted) -> io::Result<Box<dyn File>> {
        assert_eq!(wanted.cartridge, ID);
        let segments = self.segments.lock().unwrap();
        let bytes = segments.get(&wanted.sequence).ok_or(ErrorKind::NotFound)?;
        assert_eq!(wanted.length, bytes.len() as u64);
        Ok(Box::new(Recalled(Arc::clone(bytes))))
    }
}

impl Tier {
    /// Ships what can be shipped, and evicts some of what may be; how many of each.
    pub fn ship(&self, store: &Store, cartridge: &mut Cartridge, random: &mut Random) -> (usize, usize) {
        let directory = store.look_at(ID).unwrap();
        let mut rows = Vec::new();
        for unshipped in cartridge.unshipped() {
            let bytes = directory.open_segment(unshipped.sequence).unwrap().read_from(0, 1 << 30).unwrap();
            let header = Header::decode(&bytes).unwrap();
            let trailer = bytes.last_chunk::<TRAILER_LENGTH>().unwrap();
            let Ok(trailer) = Trailer::decode(trailer, bytes.len() as u64) else { continue };
            assert!(trailer.end.object >= unshipped.end.object && header.start.object < unshipped.end.object);
            rows.push(Row {
                sequence: header.sequence,
                epoch: header.epoch,
                partition: header.partition,
                start: header.start,
                end: trailer.end,
                ancestors: header.ancestors,
                segment_length: bytes.len() as u64,
                random: 0,
                object_length: bytes.len() as u64,
                object_hash: [0; 32],
                encrypted: false,
                compressed: false,
            });
            self.segments.lock().unwrap().insert(unshipped.sequence, Arc::new(bytes));
        }
        let shipped = rows.len();
        if shipped > 0 {
            let log = read_log(&directory.read_shipped().unwrap());
            let kind = if log.deltas.is_empty() { Kind::Checkpoint } else { Kind::Delta };
            let number = log.deltas.last().map_or(0, |last| last.number + 1);
            let delta = delta(kind, number, rows).encode();
            match kind {
                Kind::Checkpoint => directory.replace_shipped(&delta).unwrap(),
                Kind::Delta => directory.append_shipped(log.length, &delta).unwrap(),
            }
            cartridge.read_shipped().unwrap();
        }
        let limit = cartridge.cover().unwrap();
        let mut evicted = 0;
        let segments: Vec<u64> = self.segments.lock().unwrap().keys().copied().collect();
        for sequence in segments {
            if sequence < limit && random.one_in(2) && directory.evict_segment(sequence).unwrap() > 0 {
                evicted += 1;
            }
        }
        (shipped, evicted)
    }
}

fn delta(kind: Kind, number: u64, rows: Vec<Row>) -> Delta {
    Delta {
        kind,
        number,
        cartridge: ID,
        writer: GatewayId([1; 16]),
        writer_epoch: 1,
        nonce: [0; 16],
        written: 0,
        meta: None,
        rows,
        releases: Vec::new(),
        points: Vec::new(),
        handed_over: None,
    }
}

/// A segment as the tier has it.
#[derive(Debug)]
struct Recalled(Arc<Vec<u8>>);

impl File for Recalled {
    fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<usize> {
        panic!("an evicted segment is written")
    }

    fn read_at(&self, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        let mut rest = self.0.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let before = rest.len();
        for part in parts {
            let (taken, left) = rest.split_at(part.len().min(rest.len()));
            part[..taken.len()].copy_from_slice(taken);
            rest = left;
        }
        Ok(before - rest.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        panic!("an evicted segment is synchronised")
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        panic!("an evicted segment is cut")
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn forget_cache(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_at_hand(&self, _: u64, _: u64) -> bool {
        false
    }
}
