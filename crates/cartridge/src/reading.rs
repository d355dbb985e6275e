//! Reading blocks, and looking things up in the indexes of segments.

use capstan_format::segment::{Index, RECORD_HEADER_LENGTH, Run, RunKind};
use capstan_format::{Point, wide};
use capstan_media::{MediumFailureKind, ReadRequest, Stop};

use crate::cartridge::{Cartridge, Outcome};
use crate::chain::Row;
use crate::fault::{Failed, Fault};
use crate::reader::{BATCH, Reader, Source};
use crate::shipped::Segments;
use crate::tail::Tail;

impl Cartridge {
    pub(crate) fn read(&mut self, request: ReadRequest) -> Result<Outcome, Failed> {
        let mut count = 0;
        let mut stop = None;
        self.buffer.clear();
        while count < u64::from(request.count) && stop.is_none() {
            let left = u64::from(request.count) - count;
            let step = self.read_step(request.block_length, left);
            let (read, ended) = step.map_err(|failed| Failed { count: count + failed.count, ..failed })?;
            count += read;
            stop = ended;
        }
        Ok(Outcome { data: self.buffer.split().freeze(), count, stop })
    }

    /// Reads what one run of the index describes, up to `left` blocks; gives how many, and what ends the operation.
    fn read_step(&mut self, block_length: u32, left: u64) -> Result<(u64, Option<Stop>), Failed> {
        let here = self.place;
        if here.object == self.chain.end().object {
            return Ok((0, Some(Stop::EndOfData)));
        }
        let (run, row_end) = self.run(here.object)?;
        let index = here.object - run.start.object;
        match run.kind {
            RunKind::Filemarks { .. } => {
                self.place = here.after(1, 1, 0);
                let mut verified = self.verify_filemark(run, here.object);
                if verified.is_err() && self.turn_to_tier(here.object) {
                    verified = self.verify_filemark(run, here.object);
                }
                verified?;
                Ok((0, Some(Stop::Filemark)))
            }
            RunKind::Gap { .. } => {
                self.place = self.point(here.object + 1)?;
                Err(self.lost(here.object).into())
            }
            RunKind::Blocks { length, .. } if length == block_length => {
                let available = run.end().object.min(row_end.object) - here.object;
                let count = left.min(available).min(limit(length));
                self.read_blocks(run.record_offset(index), length, count)?;
                Ok((count, None))
            }
            RunKind::Blocks { length, .. } => {
                let before = self.buffer.len();
                self.read_blocks(run.record_offset(index), length, 1)?;
                let wanted = usize::try_from(length.min(block_length)).unwrap_or(usize::MAX);
                self.buffer.truncate(before.saturating_add(wanted));
                Ok((0, Some(Stop::IncorrectLength { actual: length })))
            }
        }
    }

    fn verify_filemark(&self, run: Run, object: u64) -> Result<(), Fault> {
        self.source(object)?.verify_filemark(run.offset, run.start.object, object)
    }

    /// Reads `count` consecutive blocks of `length` bytes at the place, whose records begin at `offset`, into the
    /// buffer. The place is after the last good one, or after the first bad one, then.
    fn read_blocks(&mut self, offset: u64, length: u32, count: u64) -> Result<(), Failed> {
        let object = self.place.object;
        let (mut good, mut outcome) = self.copy_blocks(object, offset, length, count);
        if outcome.is_err() && self.turn_to_tier(object + good) {
            let after = offset + good * (u64::from(length) + wide(RECORD_HEADER_LENGTH));
            let (more, again) = self.copy_blocks(object + good, after, length, count - good);
            (good, outcome) = (good + more, again);
        }
        let passed = good + u64::from(outcome.is_err());
        self.place = self.place.after(passed, 0, passed * u64::from(length));
        outcome.map_err(|fault| Failed { fault, count: good })
    }

    /// Appends blocks to the buffer; gives how many are good before the first that is not, and what is wrong with that.
    fn copy_blocks(&mut self, object: u64, offset: u64, length: u32, count: u64) -> (u64, Result<(), Fault>) {
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        let before = self.buffer.len();
        let bytes = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(before.saturating_add(bytes), 0);
        let (good, outcome) = match self.source(object) {
            Ok(source) => {
                let out = buffer.get_mut(before..).unwrap_or_default();
                source.read_blocks(offset, object, size, out)
            }
            Err(fault) => (0, Err(fault)),
        };
        self.buffer = buffer;
        let whole = usize::try_from(good).unwrap_or(usize::MAX).saturating_mul(size);
        self.buffer.truncate(before.saturating_add(whole));
        (good, outcome)
    }

    /// The file here is bad: reads its segment from the tier from now on, if it is there. The index is the same. The file
    /// stays, since the rest of it may be good and the object in the tier bad elsewhere.
    fn turn_to_tier(&mut self, object: u64) -> bool {
        let Some((row, end)) = self.chain.find(object) else { return false };
        let Some(reader) = self.reader.as_ref().filter(|reader| reader.serves(row, end) && reader.is_local()) else {
            return false;
        };
        let bad = reader.row();
        let Some(Ok(recalled)) = Reader::recall(self.segments(), bad, end) else { return false };
        let file = self.directory.segment_path(bad.sequence);
        tracing::error!(segment = %file.display(), object, "damaged here; it is read from the tier");
        self.reader = Some(recalled);
        true
    }

    /// The place before an object.
    pub(crate) fn point(&mut self, object: u64) -> Result<Point, Fault> {
        match self.chain.find(object) {
            None => Ok(self.chain.end()),
            Some((row, _)) if row.start.object == object => Ok(row.start),
            Some((row, end)) => {
                let point = self.index(row, end)?.point(object);
                point.ok_or_else(|| self.lost(object))
            }
        }
    }

    /// The object that the filemark with `number` filemarks before it is.
    pub(crate) fn filemark(&mut self, number: u64) -> Result<u64, Fault> {
        let lost = Fault::new(MediumFailureKind::Corrupt, format!("filemark {number} is lost in damage"));
        let (row, end) = self.chain.find_filemark(number).ok_or_else(|| lost.clone())?;
        let object = self.index(row, end)?.find_filemark(number);
        object.filter(|object| *object < end.object).ok_or(lost)
    }

    /// The run that holds an object, and where its segment ends.
    fn run(&mut self, object: u64) -> Result<(Run, Point), Fault> {
        let (row, end) = self.chain.find(object).ok_or_else(|| self.lost(object))?;
        let run = self.index(row, end)?.find(object);
        run.map(|run| (run, end)).ok_or_else(|| self.lost(object))
    }

    /// The index of a segment: that of the open one, or of the one that is read, which is opened if need be.
    fn index(&mut self, row: Row, end: Point) -> Result<&Index, Fault> {
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.header().sequence == row.sequence) {
            return Ok(tail.index());
        }
        let reader = match self.reader.take().filter(|reader| reader.serves(row, end)) {
            Some(reader) => reader,
            None => {
                let reader = Reader::open(self.segments(), row, end)?;
                // Tapes are read forwards.
                if let Some((next, _)) = self.chain.find(end.object).filter(|_| !reader.is_local()) {
                    self.segments().expect(next.sequence, next.start);
                }
                reader
            }
        };
        Ok(self.reader.insert(reader).index())
    }

    /// Where the records of the segment with that object are. Its index was asked for just before.
    fn source(&self, object: u64) -> Result<Source<'_>, Fault> {
        let (row, end) = self.chain.find(object).ok_or_else(|| self.lost(object))?;
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.header().sequence == row.sequence) {
            return Ok(Source { segment: tail.segment(), seed: tail.seed(), epoch: tail.header().epoch });
        }
        let reader = self.reader.as_ref().filter(|reader| reader.serves(row, end));
        reader.and_then(Reader::source).ok_or_else(|| self.lost(object))
    }

    pub(crate) fn segments(&self) -> Segments<'_> {
        Segments::new(&self.directory, &self.shipped, &self.meta.origins)
    }

    /// The segment at the place is open, with its index, and so many objects of it are here.
    pub(crate) fn reads_briefly(&self, count: u32) -> bool {
        let Some((row, end)) = self.chain.find(self.place.object) else { return true };
        let is_tail = |tail: &Tail| tail.header().sequence == row.sequence;
        self.tail.as_ref().is_some_and(is_tail)
            || self
                .reader
                .as_ref()
                .is_some_and(|reader| reader.serves(row, end) && reader.is_at_hand(self.place.object, u64::from(count)))
    }

    fn lost(&self, object: u64) -> Fault {
        let sequence = self.chain.find(object).map_or(0, |(row, _)| row.sequence);
        let file = self.directory.segment_path(sequence);
        Fault::new(MediumFailureKind::Corrupt, format!("{}: object {object} is lost in damage", file.display()))
    }
}

/// Most blocks of `length` bytes to read in one call: at most 8 MiB unless it is one.
fn limit(length: u32) -> u64 {
    let bytes = u64::from(capstan_media::MAX_BLOCK_LENGTH);
    (bytes / u64::from(length.max(1))).clamp(1, u64::try_from(BATCH).unwrap_or(u64::MAX))
}
