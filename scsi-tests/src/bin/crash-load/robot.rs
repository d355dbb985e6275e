//! Whatever changes where cartridges are: moves, and cartridges that are made and deleted. One at a time.

use std::sync::Arc;

use anyhow::{Context, Result};
use capstan_initiator::{Changer, DeviceError};
use capstan_scsi::SenseKey;
use tokio::sync::Mutex;

use crate::admin::Admin;
use crate::book::Book;
use crate::host::{Places, is_cut};
use crate::journal::Action;
use crate::ledger::{Ledger, Whereabouts};
use crate::random::Random;

/// Cartridges beyond those of the first start: made, deleted and made again under the same barcodes.
const EXTRA: [&str; 8] =
    ["SOK000L8", "SOK001L8", "SOK002L8", "SOK003L8", "SOK004L8", "SOK005L8", "SOK006L8", "SOK007L8"];

/// Fewer than this, and another is made.
const WANTED: usize = 14;

pub(crate) struct Robot {
    pub(crate) book: Arc<Book>,
    pub(crate) places: Places,
    pub(crate) admin: Admin,
    changer: Changer,
    random: Mutex<Random>,
}

impl Robot {
    pub(crate) fn new(book: Arc<Book>, places: Places, admin: Admin, changer: Changer, random: Random) -> Self {
        Self { book, places, admin, changer, random: Mutex::new(random) }
    }

    /// Takes the cartridge out of a drive.
    pub(crate) async fn put_away(&self, drive: u16) -> Result<()> {
        let mut random = self.random.lock().await;
        let tape = self.book.look(|ledger| ledger.at(drive).map(str::to_owned)).context("the drive is empty")?;
        let to = self.free_place(&mut random)?;
        self.go(&tape, drive, to).await
    }

    /// Puts a cartridge into a drive: the one that is named, or any that may be written; false if there is none.
    pub(crate) async fn fetch(&self, drive: u16, named: Option<&str>) -> Result<bool> {
        let mut random = self.random.lock().await;
        let idle = self.idle(|ledger, tape| match named {
            Some(name) => tape == name,
            None => ledger.tapes.get(tape).is_some_and(|tape| !tape.protected.known),
        });
        let Some((tape, from)) = random.pick(&idle).cloned() else { return Ok(false) };
        self.go(&tape, from, drive).await?;
        Ok(true)
    }

    /// Does something that has nothing to do with drives.
    pub(crate) async fn tinker(&self) -> Result<()> {
        let mut random = self.random.lock().await;
        let (count, idle) = (self.book.look(|ledger| ledger.tapes.len()), self.idle(|_, _| true));
        let absent: Vec<&str> =
            EXTRA.into_iter().filter(|name| !self.book.look(|ledger| ledger.tapes.contains_key(*name))).collect();
        let Some((tape, from)) = random.pick(&idle).cloned() else { return self.create(&mut random, &absent).await };
        let is_extra = EXTRA.contains(&tape.as_str());
        match random.below(100) {
            _ if count < WANTED => self.create(&mut random, &absent).await,
            0..=9 => self.create(&mut random, &absent).await,
            10..=24 if is_extra && !self.is_protected(&tape) => {
                self.administer(Action::Delete { tape: tape.clone() }, &["delete", &tape]).await
            }
            25..=29 if !self.is_protected(&tape) => {
                self.administer(Action::Blank { tape: tape.clone() }, &["erase", &tape]).await
            }
            30..=44 => {
                let protected = !self.is_protected(&tape) && self.may_protect();
                let word = if protected { "protect" } else { "unprotect" };
                self.administer(Action::Protect { tape: tape.clone(), protected }, &[word, &tape]).await
            }
            _ => {
                let to = self.free_place(&mut random)?;
                self.go(&tape, from, to).await
            }
        }
    }

    async fn create(&self, random: &mut Random, absent: &[&str]) -> Result<()> {
        let Some(tape) = random.pick(absent) else { return Ok(()) };
        let op = self.book.sent(Action::Create { tape: (*tape).to_owned() })?;
        let made = self.judged(self.admin.create(tape).await).await?;
        let place = self.places.address(&made.location).context("a new cartridge is in no place that we know")?;
        self.book.done(op, Some(place))
    }

    async fn administer(&self, action: Action, words: &[&str]) -> Result<()> {
        let op = self.book.sent(action)?;
        let words: Vec<&str> = [&["tape"], words].concat();
        self.judged(self.admin.run(&words).await).await?;
        self.book.done(op, None)
    }

    /// A command that fails because the daemon is gone is no finding: then the changer is gone too.
    async fn judged<T>(&self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Err(error) => match self.changer.test_unit_ready().await.map_err(anyhow::Error::from) {
                Err(gone) if is_cut(&gone) => Err(gone),
                _ => Err(error),
            },
            good => good,
        }
    }

    async fn go(&self, tape: &str, from: u16, to: u16) -> Result<()> {
        let (from_drive, to_drive) = (self.places.is_drive(from), self.places.is_drive(to));
        let action = Action::Move { tape: tape.to_owned(), from, to, from_drive, to_drive };
        let moved = self.book.perform(action, self.move_medium(from, to)).await;
        moved.with_context(|| format!("{tape} from {from} to {to}"))
    }

    /// What an administrator does is a unit attention for the changer's hosts; a command that reports one was not
    /// executed.
    async fn move_medium(&self, from: u16, to: u16) -> Result<(), DeviceError> {
        loop {
            match self.changer.move_medium(from, to).await {
                Err(error) if error.sense().is_some_and(|sense| sense.key == SenseKey::UnitAttention as u8) => {}
                ended => return ended,
            }
        }
    }

    fn is_protected(&self, tape: &str) -> bool {
        self.book.look(|ledger| ledger.tapes.get(tape).is_some_and(|tape| tape.protected.known))
    }

    /// Two at most: the drives need something to write to.
    fn may_protect(&self) -> bool {
        self.book.look(|ledger| ledger.tapes.values().filter(|tape| tape.protected.known).count() < 2)
    }

    /// Cartridges outside of drives, and where they are; none whose move has just come to no end.
    fn idle(&self, wanted: impl Fn(&Ledger, &str) -> bool) -> Vec<(String, u16)> {
        self.book.look(|ledger| {
            let tapes = ledger.tapes.iter().filter(|(_, tape)| tape.place.doubt.is_none());
            let tapes = tapes.filter_map(|(barcode, tape)| match tape.place.known {
                Whereabouts::At(place) if !self.places.is_drive(place) && wanted(ledger, barcode) => {
                    Some((barcode.clone(), place))
                }
                _ => None,
            });
            tapes.collect()
        })
    }

    fn free_place(&self, random: &mut Random) -> Result<u16> {
        let among = if random.chance(15) { &self.places.io_slots } else { &self.places.slots };
        let free: Vec<u16> =
            self.book.look(|ledger| among.iter().copied().filter(|place| ledger.at(*place).is_none()).collect());
        random.pick(&free).copied().context("no free place")
    }
}
