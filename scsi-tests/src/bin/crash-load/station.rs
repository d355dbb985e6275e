//! One drive and its host: reading that compares, and writing that is noted.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use capstan_initiator::{BlockRead, Command, Running, Tape};
use capstan_scsi::sam::Status;

use crate::block::{content, describe};
use crate::book::Book;
use crate::history::{Object, Settled};
use crate::host::TIMEOUT;
use crate::journal::{Action, written};
use crate::random::Random;
use crate::robot::Robot;

pub(crate) struct Station {
    /// Element address of the drive.
    pub(crate) address: u16,
    pub(crate) drive: Tape,
    pub(crate) book: Arc<Book>,
    pub(crate) robot: Arc<Robot>,
    pub(crate) random: Random,
    pub(crate) seed: u64,
    /// About how much a cartridge holds before it is overwritten.
    pub(crate) budget: u64,
    /// Where the tape stands.
    pub(crate) at: u64,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadBack {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) settled: Settled,
}

impl Station {
    /// The cartridge in the drive.
    pub(crate) fn tape(&self) -> Option<String> {
        self.book.look(|ledger| ledger.at(self.address).map(str::to_owned))
    }

    pub(crate) fn length(&self, tape: &str) -> Result<u64> {
        Ok(u64::try_from(self.book.look(|ledger| ledger.objects(tape).len()))?)
    }

    /// Reads everything from the beginning and compares it with what may be there; then that is known.
    pub(crate) async fn read_all(&mut self, tape: &str) -> Result<ReadBack> {
        let history = self.book.look(|ledger| ledger.tapes.get(tape).map(|tape| tape.history.clone()));
        let history = history.with_context(|| format!("{tape} is unknown"))?;
        let mut matching = history.matching();
        let mut read = ReadBack::default();
        loop {
            let candidates = matching.candidates();
            let longest = candidates.iter().map(|object| length_of(*object)).max().unwrap_or(0);
            let found = self.drive.read_block(longest.max(1 << 16) + 1).await;
            let found = found.with_context(|| format!("{tape}, object {}", matching.seen()))?;
            if found == BlockRead::EndOfData {
                break;
            }
            match candidates.iter().find(|object| self.is(tape, **object, &found)) {
                Some(object) => matching.found(*object),
                None => bail!(
                    "{tape}, object {}: {}; expected one of {candidates:?}, the tape: {}",
                    matching.seen(),
                    said(&found),
                    matching.possible()
                ),
            }
            read.objects += 1;
            if let BlockRead::Block(block) = &found {
                read.bytes += u64::try_from(block.len())?;
            }
        }
        let seen = matching.seen();
        let (objects, settled) =
            matching.end().map_err(|possible| anyhow::anyhow!("{tape} ends after {seen} objects, not {possible}"))?;
        self.check_position(tape, &objects).await?;
        let event = self.book.look(|ledger| ledger.verified(tape, &objects));
        self.book.note(&event.with_context(|| format!("{tape} is nowhere"))?)?;
        Ok(ReadBack { settled, ..read })
    }

    /// The drive counts as we do.
    async fn check_position(&mut self, tape: &str, objects: &[Object]) -> Result<()> {
        self.at = u64::try_from(objects.len())?;
        let filemarks = objects.iter().filter(|object| **object == Object::Filemark).count();
        let position = self.drive.read_position().await?;
        let (want, got) = ((self.at, u64::try_from(filemarks)?), (position.object, position.file));
        ensure!(want == got && !position.unknown, "{tape}: object and file are {want:?}, the drive says {position:?}");
        Ok(())
    }

    /// Reads some objects from `from` on and compares them with what was written; then goes to the end.
    pub(crate) async fn read_some(&mut self, tape: &str, from: u64, count: usize) -> Result<()> {
        self.drive.locate(from).await?;
        let index = usize::try_from(from)?;
        let (some, all) = self.book.look(|ledger| {
            let objects = ledger.objects(tape);
            (objects.iter().skip(index).take(count).copied().collect::<Vec<_>>(), objects.to_vec())
        });
        for (number, object) in (from..).zip(some) {
            let found = self.drive.read_block(length_of(object).max(1 << 16) + 1).await?;
            ensure!(
                self.is(tape, object, &found),
                "{tape}, object {number}: {}, not {object:?}, while the load runs",
                said(&found)
            );
        }
        self.drive.space(capstan_initiator::SpaceKind::EndOfData, 0).await?;
        self.check_position(tape, &all).await
    }

    fn is(&self, tape: &str, object: Object, found: &BlockRead) -> bool {
        match (object, found) {
            (Object::Filemark, BlockRead::Filemark) => true,
            (Object::Block { serial, length }, BlockRead::Block(block)) => {
                usize::try_from(length) == Ok(block.len()) && content(self.seed, tape, serial, length) == *block
            }
            _ => false,
        }
    }

    /// Writes blocks, with up to `depth` of them under way at once.
    pub(crate) async fn write_blocks(&mut self, tape: &str, lengths: &[u32], depth: usize) -> Result<()> {
        let mut running = VecDeque::new();
        for length in lengths {
            if running.len() >= depth {
                self.finish(running.pop_front()).await?;
            }
            let (op, data) = self.prepare(tape, &[*length])?;
            let [_, high, middle, low] = length.to_be_bytes();
            let command = Command::write(&[0x0a, 0, high, middle, low, 0], data);
            running.push_back((op, self.drive.session().start(self.drive.lun(), command).await?));
        }
        while !running.is_empty() {
            self.finish(running.pop_front()).await?;
        }
        Ok(())
    }

    /// Writes blocks of one length with one command, in fixed-block mode.
    pub(crate) async fn write_fixed(&mut self, tape: &str, count: u32, length: u32) -> Result<()> {
        self.drive.set_block_length(length).await?;
        let lengths = vec![length; usize::try_from(count)?];
        let (op, data) = self.prepare(tape, &lengths)?;
        self.drive.write_fixed(count, data).await?;
        self.book.done(op, None)?;
        Ok(self.drive.set_block_length(0).await?)
    }

    /// Notes a write; its number and the data.
    fn prepare(&mut self, tape: &str, lengths: &[u32]) -> Result<(u64, Bytes)> {
        let action = Action::Write { tape: tape.to_owned(), at: self.at, lengths: lengths.to_vec() };
        let op = self.book.sent(action)?;
        self.at += u64::try_from(lengths.len())?;
        let blocks = written(op, lengths).map(|object| match object {
            Object::Block { serial, length } => content(self.seed, tape, serial, length),
            Object::Filemark => Bytes::new(),
        });
        let mut data = BytesMut::new();
        blocks.for_each(|block| data.extend_from_slice(&block));
        Ok((op, data.freeze()))
    }

    async fn finish(&self, running: Option<(u64, Running)>) -> Result<()> {
        let Some((op, mut running)) = running else { return Ok(()) };
        let outcome = running.wait(TIMEOUT).await?;
        ensure!(outcome.status == Status::GOOD, "WRITE: {:?}, sense {:?}", outcome.status, outcome.sense());
        self.book.done(op, None)
    }

    pub(crate) async fn write_filemarks(&mut self, tape: &str, count: u32, immediate: bool) -> Result<()> {
        let action = Action::Filemarks { tape: tape.to_owned(), at: self.at, count, immediate };
        self.book.perform(action, self.drive.write_filemarks(count, immediate)).await?;
        self.at += u64::from(count);
        Ok(())
    }

    pub(crate) async fn erase(&mut self, tape: &str) -> Result<()> {
        let action = Action::Erase { tape: tape.to_owned(), at: self.at };
        self.book.perform(action, self.drive.erase()).await
    }

    /// Threads a cartridge that was unloaded.
    pub(crate) async fn load(&mut self, tape: &str) -> Result<()> {
        let action = Action::Load { tape: tape.to_owned(), drive: self.address };
        self.book.perform(action, self.drive.load()).await?;
        self.drive.wait_ready().await?;
        self.at = 0;
        Ok(())
    }

    pub(crate) async fn unload(&mut self, tape: &str) -> Result<()> {
        let action = Action::Unload { tape: tape.to_owned(), drive: self.address };
        self.book.perform(action, self.drive.unload()).await
    }

    /// Takes the cartridge out, with or without unloading it first.
    pub(crate) async fn put_away(&mut self, tape: &str) -> Result<()> {
        if self.random.chance(50) {
            self.unload(tape).await?;
        }
        self.robot.put_away(self.address).await
    }

    /// Takes in a cartridge; false if there is none.
    pub(crate) async fn fetch(&mut self, named: Option<&str>) -> Result<bool> {
        if !self.robot.fetch(self.address, named).await? {
            return Ok(false);
        }
        self.drive.wait_ready().await?;
        self.at = 0;
        Ok(true)
    }
}

pub(crate) fn length_of(object: Object) -> u32 {
    match object {
        Object::Filemark => 0,
        Object::Block { length, .. } => length,
    }
}

fn said(found: &BlockRead) -> String {
    match found {
        BlockRead::Block(block) => format!("found {}", describe(block)),
        BlockRead::Filemark => "found a filemark".to_owned(),
        BlockRead::EndOfData => "found the end of data".to_owned(),
    }
}
