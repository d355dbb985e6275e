//! Writing blocks and filemarks, and erasing.

use std::time::Instant;

use capstan_format::segment::Header;
use capstan_format::{Meta, wide};
use capstan_media::{MAX_BLOCK_LENGTH, MediumFailureKind, Partition, Stop};

use crate::cartridge::{Cartridge, Outcome};
use crate::chain::Row;
use crate::facts::filemark_limit;
use crate::fault::{Failed, Fault};
use crate::tail::{Append, Stopped, Tail};

impl Cartridge {
    pub(crate) fn write(&mut self, data: &[u8], block_length: u32) -> Result<Outcome, Failed> {
        self.check_writable()?;
        let length = usize::try_from(block_length).unwrap_or(usize::MAX);
        if !(1..=MAX_BLOCK_LENGTH).contains(&block_length) || !data.len().is_multiple_of(length) {
            let message = format!("{} bytes are no blocks of {block_length} bytes", data.len());
            return Err(Fault::new(MediumFailureKind::WriteFault, message).into());
        }
        let asked = wide(data.len() / length);
        let room = self.meta.capacity.saturating_sub(self.place.byte) / u64::from(block_length);
        let fits = asked.min(room);
        self.check_room(fits, u64::from(block_length))?;
        let mut count = 0;
        let mut rest = data.get(..usize::try_from(fits).unwrap_or(usize::MAX) * length).unwrap_or_default();
        while !rest.is_empty() {
            let payload = self.first_blocks(rest, length);
            let appended = self.append(Append::Blocks { payload, length });
            let appended = appended.map_err(|failed| Failed { count: count + failed.count, ..failed })?;
            count += appended;
            rest = rest.get(usize::try_from(appended).unwrap_or(usize::MAX) * length..).unwrap_or_default();
        }
        Ok(Outcome::new(count, (fits < asked).then_some(Stop::EndOfPartition)))
    }

    /// As many blocks from the front as go into one segment.
    fn first_blocks<'a>(&self, blocks: &'a [u8], length: usize) -> &'a [u8] {
        let size = self.options.segment_size;
        let room = match &self.tail {
            Some(tail) if self.continues(length) => tail.room(length, size),
            _ => Tail::room_in_new(length, size),
        };
        let bytes = usize::try_from(room).unwrap_or(usize::MAX).saturating_mul(length).min(blocks.len());
        blocks.get(..bytes).unwrap_or_default()
    }

    pub(crate) fn write_filemarks(&mut self, count: u32, synchronise: bool) -> Result<Outcome, Failed> {
        let mut written = 0;
        if count > 0 {
            self.check_writable()?;
            let room = filemark_limit(self.meta.capacity).saturating_sub(self.place.filemark);
            let fits = u32::try_from(room).unwrap_or(u32::MAX).min(count);
            if fits > 0 {
                written = self.append(Append::Filemarks(fits))?;
            }
        }
        if synchronise {
            self.recovery_point()?;
        }
        Ok(Outcome::new(written, (written < u64::from(count)).then_some(Stop::EndOfPartition)))
    }

    /// Makes the place end of data, durably.
    pub(crate) fn erase(&mut self) -> Result<Outcome, Fault> {
        self.check_writable()?;
        if self.place.object < self.chain.end().object {
            self.append(Append::Nothing).map_err(|failed| failed.fault)?;
        }
        self.recovery_point()?;
        Ok(Outcome::default())
    }

    /// A record with that payload can be added to the open segment: the place is its end, and there is room.
    fn continues(&self, payload: usize) -> bool {
        let at_end = self.place.object == self.chain.end().object;
        self.tail.as_ref().is_some_and(|tail| at_end && tail.room(payload, self.options.segment_size) > 0)
    }

    /// All of the blocks go into the open segment.
    pub(crate) fn appends_briefly(&self, data: &[u8], block_length: u32) -> bool {
        let length = usize::try_from(block_length).unwrap_or(usize::MAX);
        let blocks = data.len().checked_div(length).unwrap_or(0);
        let room = |tail: &Tail| tail.room(length, self.options.segment_size);
        self.continues(length) && self.tail.as_ref().is_some_and(|tail| room(tail) >= wide(blocks))
    }

    /// Appends at the place, in a new segment if need be; what followed the place is gone then. Gives how many blocks
    /// or filemarks were written.
    fn append(&mut self, what: Append<'_>) -> Result<u64, Failed> {
        self.begin_writing()?;
        let payload = match what {
            Append::Blocks { length, .. } => length,
            Append::Filemarks(_) | Append::Nothing => 0,
        };
        let continues = self.continues(payload);
        let mut tail = match self.tail.take() {
            Some(tail) if continues => tail,
            tail => {
                self.tail = tail;
                self.close_tail()?;
                self.new_tail()?
            }
        };
        let durable = self.durable.min(self.place.object);
        let outcome = tail.append(what, durable);
        if continues {
            self.chain.extend_to(tail.index().end());
        } else if !self.adopt(&tail, &outcome) {
            return Err(self.abandon(tail, outcome));
        }
        self.place = self.chain.end();
        let outcome = outcome.map_err(|Stopped { count, error }| Failed { fault: Fault::writing(&error), count });
        let outcome = outcome.map_err(|failed| self.after_failed_append(&mut tail, failed));
        self.tail = Some(tail);
        outcome
    }

    /// Marks the cartridge open, durably, before the first segment is written.
    fn begin_writing(&mut self) -> Result<(), Fault> {
        if self.meta.open {
            return Ok(());
        }
        let epoch = self.meta.epoch.saturating_add(1);
        let opened = self.write_meta(Meta { open: true, epoch, ..self.meta.clone() });
        opened.map_err(|error| Fault::keeping(&error))?;
        self.epoch = epoch;
        Ok(())
    }

    /// A segment that begins at the place. It counts once something is written to it.
    fn new_tail(&mut self) -> Result<Tail, Fault> {
        self.keep_version()?;
        if self.place.object < self.chain.end().object {
            self.epoch = self.epoch.saturating_add(1);
        }
        let header = Header {
            cartridge: self.meta.cartridge,
            partition: Partition(0),
            sequence: self.next_sequence,
            epoch: self.epoch,
            start: self.place,
            durable: self.durable.min(self.place.object),
            ancestors: self.chain.ancestors(self.place),
        };
        self.next_sequence = self.next_sequence.saturating_add(1);
        match self.directory.create_segment(header.sequence) {
            Ok(segment) => Ok(Tail::new(segment, header)),
            Err(error) => Err(self.poison(Fault::writing(&error))),
        }
    }

    /// Lets a new segment take its place on the tape, unless the first write to it failed: false then.
    fn adopt(&mut self, tail: &Tail, outcome: &Result<u64, Stopped>) -> bool {
        if outcome.as_ref().is_err_and(|stop| stop.count == 0) {
            return false;
        }
        let header = tail.header();
        let row = Row { sequence: header.sequence, epoch: Some(header.epoch), start: header.start };
        for gone in self.chain.supersede(row) {
            if self.kept.contains_key(&gone.sequence) {
                continue;
            }
            self.unsynced.retain(|segment| segment.sequence() != gone.sequence);
            self.superseded.push(gone.sequence);
            self.begun.remove(&gone.sequence);
        }
        self.begun.insert(header.sequence, Instant::now());
        self.durable = header.durable;
        self.chain.extend_to(tail.index().end());
        true
    }

    /// Takes back a new segment into which nothing could be written: the tape is as it was.
    fn abandon(&mut self, tail: Tail, outcome: Result<u64, Stopped>) -> Failed {
        let sequence = tail.segment().sequence();
        drop(tail);
        let fault = match outcome {
            Err(stop) => Fault::writing(&stop.error),
            Ok(_) => Fault::new(MediumFailureKind::WriteFault, "nothing was written"),
        };
        // Left behind, an empty file would say that the tape ends here.
        let fault = match self.directory.remove_segment(sequence) {
            Ok(()) => fault,
            Err(error) => Fault::new(MediumFailureKind::WriteFault, format!("{}; {error}", fault.message)),
        };
        self.poison(fault).into()
    }

    /// What came through only in part is cut off, so that the next append stands in its place.
    fn after_failed_append(&mut self, tail: &mut Tail, failed: Failed) -> Failed {
        let mut failed = failed;
        self.granted = 0;
        if failed.fault.kind == MediumFailureKind::NoSpace
            && let Err(error) = tail.cut_unfinished()
        {
            failed.fault = Fault::new(MediumFailureKind::WriteFault, error.to_string());
        }
        Failed { fault: self.poison(failed.fault), count: failed.count }
    }
}
