//! A cartridge that has something to ship, or may have it soon.
//!
//! One task for each, in turns: ask the cartridge what is unshipped, let segments go, and every few seconds write one
//! delta for all that have arrived. What a turn leaves undone the next one finds again, so that a failure anywhere, and a
//! kill, cost no more than the work under way. No turn waits for the tier: what is only here is known at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_cartridge::{Cartridge, Shipment, Unshipped};
use capstan_format::manifest::{RecoveryPoint, Row};
use capstan_media::{Barcode, CartridgeId};
use capstan_store::StoreError;
use capstan_tier::names::TapeName;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;

use super::errand::Errand;
use super::settle::Movable;
use super::watch::Watch;
use super::{Arrived, Dock, Landed};
use crate::MoverError;
use crate::ledger::{Change, Ledger};
use crate::notice::NoticeKind;
use crate::view::TapeShipping;

/// While there is something to do a cartridge is looked at so often at least.
const BUSY: Duration = Duration::from_millis(250);

/// A task for one cartridge.
pub(crate) struct TapeTask {
    pub(super) dock: Arc<Dock>,
    pub(super) id: CartridgeId,
    tape: Option<TapeName>,
    /// What is in the tier; none before that is certain, and while a delta is written.
    pub(super) ledger: Option<Ledger>,
    pub(super) errand: JoinSet<Result<Errand, MoverError>>,
    errand_ended: Option<Result<Errand, MoverError>>,
    /// Segments in the delta that is written, or left out of it for good, and how far the tape is in the tier then.
    reported: (Vec<u64>, u64),
    /// Barcode and key are in the tier: segments may go.
    begun: bool,
    in_flight: JoinSet<Result<Landed, MoverError>>,
    /// Segments on their way, by their tasks.
    flying: BTreeMap<Id, u64>,
    arrived: Arrived,
    /// Segments whose files were not there when their turn came.
    missed: BTreeSet<u64>,
    /// Segments that failed, until they are tried again.
    held: BTreeMap<u64, Instant>,
    /// Nothing is asked of the tier until then.
    quiet_until: Option<Instant>,
    last_delta: Option<Instant>,
    /// The delta up to which the cartridge has read its log.
    told_of: Option<u64>,
    pub(super) watch: Watch,
    /// What was told last, so that it is told once.
    told: Option<String>,
}

/// How a task ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// There is nothing to do until somebody works on the cartridge.
    Done,
    /// Nor until something may be shipped.
    Parked,
}

/// What a cartridge says of itself.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    barcode: Barcode,
    unshipped: Vec<Unshipped>,
    /// Bytes that will be.
    pub(super) unfinished: u64,
    oldest: Option<Instant>,
    problem: Option<String>,
}

/// What a turn came to.
enum Turn {
    Ended(Ended),
    /// There is nothing to do for now.
    Idle,
    /// There is more to do.
    Busy,
}

impl TapeTask {
    pub(crate) fn new(dock: Arc<Dock>, id: CartridgeId) -> Self {
        let before = dock.board().get(&id).and_then(|posted| posted.oldest);
        Self {
            dock,
            id,
            tape: None,
            ledger: None,
            errand: JoinSet::new(),
            errand_ended: None,
            reported: (Vec::new(), 0),
            begun: false,
            in_flight: JoinSet::new(),
            flying: BTreeMap::new(),
            arrived: Arrived::new(),
            missed: BTreeSet::new(),
            held: BTreeMap::new(),
            quiet_until: None,
            last_delta: None,
            told_of: None,
            watch: Watch::new(before),
            told: None,
        }
    }

    /// Runs until there is nothing to ship and the cartridge is in no drive.
    pub(crate) async fn run(mut self) -> Ended {
        loop {
            let pause = match self.turn().await {
                Ok(Turn::Ended(ended)) => return ended,
                Ok(Turn::Idle) => self.dock.rules.look_every,
                Ok(Turn::Busy) => self.dock.rules.look_every.min(BUSY),
                Err(MoverError::Stopped) => return Ended::Done,
                Err(error) => {
                    self.tell(NoticeKind::NotShipped, &error.to_string());
                    self.dock.rules.try_again
                }
            };
            self.wait(pause).await;
        }
    }

    /// Waits for something to come to its end, but not longer than that.
    async fn wait(&mut self, pause: Duration) {
        tokio::select! {
            Some(arrived) = self.in_flight.join_next_with_id() => self.land(arrived),
            Some(ended) = self.errand.join_next() => self.errand_ended = Some(outcome(ended)),
            () = sleep(pause) => {}
        }
    }

    async fn turn(&mut self) -> Result<Turn, MoverError> {
        while let Some(arrived) = self.in_flight.try_join_next_with_id() {
            self.land(arrived);
        }
        let ended = self.errand_ended.take();
        if let Some(ended) = ended.or_else(|| self.errand.try_join_next().map(outcome)) {
            self.end_errand(ended).await?;
        }
        if self.number() != self.told_of && self.ledger.is_some() {
            // Else what the cartridge was not told of would be shipped again.
            self.tidy(None).await?;
        }
        let close_after = self.dock.rules.close_after;
        let survey = self.dock.borrow(self.id, move |cartridge| survey(cartridge, close_after)).await?;
        let Some(survey) = survey else {
            self.dock.board().remove(&self.id);
            return Ok(Turn::Ended(Ended::Done));
        };
        let (loaded, survey) = (survey.loaded, survey.value);
        let tape = TapeName { barcode: survey.barcode.clone(), cartridge: self.id };
        self.tape = Some(tape.clone());
        if let Some(problem) = &survey.problem {
            self.tell(NoticeKind::NotShipped, problem);
        }
        self.post(&survey).await?;
        if self.is_over(&survey) {
            return Ok(if loaded { Turn::Idle } else { Turn::Ended(Ended::Done) });
        }
        // What is on its way when a tier is paused still gets its delta.
        if !self.dock.may_ship() && self.arrived.is_empty() {
            let is_at_work = loaded || !self.flying.is_empty() || !self.errand.is_empty();
            return Ok(if is_at_work { Turn::Idle } else { Turn::Ended(Ended::Parked) });
        }
        if self.quiet_until.is_some_and(|until| Instant::now() < until) {
            return Ok(Turn::Idle);
        }
        self.go_on(&tape, &survey.unshipped, loaded).await
    }

    /// Ships what there is to ship.
    async fn go_on(&mut self, tape: &TapeName, unshipped: &[Unshipped], loaded: bool) -> Result<Turn, MoverError> {
        if self.ledger.is_none() && self.errand.is_empty() {
            self.errand.spawn(Arc::clone(&self.dock).begin(tape.clone()));
        }
        if self.begun && self.dock.may_ship() {
            self.launch(tape, unshipped);
        }
        let is_due = self.last_delta.is_none_or(|last| last.elapsed() >= self.dock.rules.delta_every);
        // A cartridge that was touched may have something to say without a new segment: that it was erased or protected.
        if self.ledger.is_some() && is_due && (self.flying.is_empty() || !self.arrived.is_empty()) {
            self.report(tape).await?;
        }
        if unshipped.is_empty() && !loaded && is_due && self.is_idle() && self.give(tape) {
            return Ok(Turn::Busy);
        }
        let waits = unshipped.iter().any(|it| !self.arrived.contains_key(&it.sequence))
            || !(self.arrived.is_empty() && self.flying.is_empty() && self.errand.is_empty());
        Ok(match (waits, loaded) {
            (true, _) => Turn::Busy,
            (false, true) => Turn::Idle,
            (false, false) if is_due && self.ledger.is_some() => Turn::Ended(Ended::Done),
            (false, false) => Turn::Busy,
        })
    }

    fn land(&mut self, arrived: Result<(Id, Result<Landed, MoverError>), JoinError>) {
        let (task, result) = match arrived {
            Ok((task, result)) => (task, result),
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some(sequence) = self.flying.remove(&task) else { return };
        match result {
            Ok(landed) => {
                self.told = None;
                self.arrived.insert(sequence, landed);
            }
            Err(MoverError::Stopped) => {}
            // It was overwritten or forgotten while it waited for its turn; if not, it is wanted once more.
            Err(MoverError::Store(error)) if error.is_missing() && self.missed.insert(sequence) => {}
            Err(error) => {
                self.tell(NoticeKind::NotShipped, &error.to_string());
                let again = Instant::now().checked_add(self.dock.rules.try_again);
                match error {
                    // The next segment would meet the same.
                    MoverError::Tier(_) => self.quiet_until = again,
                    _ => drop(again.and_then(|again| self.held.insert(sequence, again))),
                }
            }
        }
    }

    async fn end_errand(&mut self, ended: Result<Errand, MoverError>) -> Result<(), MoverError> {
        let (reported, tier_to) = std::mem::take(&mut self.reported);
        match ended {
            Ok(Errand::Begun(ledger)) => {
                // A delta whose answer was lost may have them.
                self.arrived.retain(|sequence, _| ledger.row(*sequence).is_none());
                (self.ledger, self.begun, self.told_of) = (Some(ledger), true, None);
                self.tidy(None).await
            }
            Ok(Errand::Written(ledger, last_point)) => {
                self.ledger = Some(ledger);
                reported.iter().for_each(|sequence| drop(self.arrived.remove(sequence)));
                self.tidy(last_point).await?;
                self.dock.board().entry(self.id).or_default().shipping.tier_to = tier_to;
                Ok(())
            }
            Ok(Errand::Fenced) => self.fenced().await,
            Ok(Errand::Given) => self.given().await,
            Err(MoverError::Stopped) => Err(MoverError::Stopped),
            Err(error) => {
                self.tell(NoticeKind::NotShipped, &error.to_string());
                self.quiet_until = Instant::now().checked_add(self.dock.rules.try_again);
                Ok(())
            }
        }
    }

    async fn post(&mut self, survey: &Survey) -> Result<(), MoverError> {
        let Survey { unshipped, unfinished, oldest, .. } = survey;
        let oldest = *oldest;
        let unknown = self.watch.unknown(unshipped);
        let mut lengths = BTreeMap::new();
        if !unknown.is_empty() {
            let length = move |directory: &capstan_store::CartridgeDirectory| {
                let length = |sequence| directory.segment_length(sequence).ok().flatten().unwrap_or(0);
                Ok(unknown.into_iter().map(|sequence| (sequence, length(sequence))).collect())
            };
            lengths = self.dock.on_disk(self.id, length).await?;
        }
        self.watch.look(unshipped, &self.arrived, &lengths, oldest);
        let unshipped_bytes = self.watch.bytes().saturating_add(*unfinished);
        let oldest = [self.watch.oldest(), oldest].into_iter().flatten().min();
        let mut board = self.dock.board();
        let posted = board.entry(self.id).or_default();
        posted.shipping = TapeShipping { unshipped_bytes, ..posted.shipping };
        posted.oldest = oldest;
        Ok(())
    }

    /// Lets segments go, oldest first.
    fn launch(&mut self, tape: &TapeName, unshipped: &[Unshipped]) {
        let now = Instant::now();
        self.held.retain(|_, until| *until > now);
        self.missed.retain(|sequence| unshipped.iter().any(|it| it.sequence == *sequence));
        for &Unshipped { sequence, end } in unshipped {
            if self.flying.len() >= self.dock.rules.parallel {
                return;
            }
            let waits = self.arrived.contains_key(&sequence) || self.held.contains_key(&sequence);
            if !waits && !self.flying.values().any(|flying| *flying == sequence) {
                let shipped = Arc::clone(&self.dock).ship(tape.clone(), sequence, end);
                self.flying.insert(self.in_flight.spawn(shipped).id(), sequence);
            }
        }
    }

    /// Has a delta written, if there is anything to say.
    async fn report(&mut self, tape: &TapeName) -> Result<(), MoverError> {
        let rows: Vec<Row> = self.arrived.values().map(|landed| landed.row.clone()).collect();
        let shipment = self.dock.borrow(self.id, move |cartridge| cartridge.shipment(&rows)).await?;
        let Some(Some(shipment)) = shipment.map(|borrowed| borrowed.value) else { return Ok(()) };
        let Shipment { rows, released, meta, points, tier_to } = shipment;
        let change = Change { rows, released, meta, points, handed_over: None };
        let is_news = self.ledger.as_ref().is_some_and(|ledger| ledger.is_news(&change));
        if let Some(ledger) = self.ledger.take_if(|_| is_news) {
            self.last_delta = Some(Instant::now());
            self.reported = (self.arrived.keys().copied().collect(), tier_to);
            let written = Arc::clone(&self.dock).write(tape.clone(), ledger, change);
            self.errand.spawn(written);
            return Ok(());
        }
        // None of them is of the tape any more.
        self.arrived.clear();
        self.tidy(None).await?;
        self.dock.board().entry(self.id).or_default().shipping.tier_to = tier_to;
        Ok(())
    }

    /// The last delta that is in the tier, as far as is known.
    fn number(&self) -> Option<u64> {
        self.ledger.as_ref()?.manifest.as_ref().map(|manifest| manifest.number)
    }

    /// The cartridge learns what is in the tier; its files go where they belong.
    async fn tidy(&mut self, last_point: Option<RecoveryPoint>) -> Result<(), MoverError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let number = self.number();
        let is_news = number != self.told_of;
        let told = self.dock.borrow(self.id, move |cartridge| {
            if let Some(last) = last_point {
                cartridge.points_shipped(last);
            }
            let read = if is_news { cartridge.read_shipped() } else { Ok(()) };
            let limit = read.and_then(|()| cartridge.cover());
            limit.map(|limit| (limit, cartridge.last_segments())).map_err(|error| error.to_string())
        });
        let Some(told) = told.await? else { return Ok(()) };
        let (limit, last) = told.value.map_err(|what| MoverError::Cartridge { id: self.id, what })?;
        self.told_of = number;
        let movable = Movable::new(ledger, limit, if told.loaded { last } else { Vec::new() });
        self.dock.settle(self.id, movable).await
    }

    /// Another gateway goes on with the cartridge: nothing more of it is shipped until the daemon starts again.
    async fn fenced(&mut self) -> Result<(), MoverError> {
        self.dock.fenced().insert(self.id);
        self.dock.board().entry(self.id).or_default().shipping.fenced = true;
        let what = "another gateway goes on with it in the tier: nothing more of it is shipped from here";
        self.tell(NoticeKind::Fenced, what);
        self.in_flight.abort_all();
        self.flying.clear();
        self.arrived.clear();
        // What it may have read of a delta that did not come to count.
        self.protect().await
    }

    /// Nothing is written to the cartridge any more, and it knows what is in the tier.
    pub(super) async fn protect(&mut self) -> Result<(), MoverError> {
        let told = self.dock.borrow(self.id, |cartridge| {
            let read = cartridge.read_shipped();
            cartridge.fence().and(read).map_err(|error| error.to_string())
        });
        let told = told.await?.map_or(Ok(()), |told| told.value);
        told.map_err(|what| MoverError::Cartridge { id: self.id, what })
    }

    /// Nothing of it is under way.
    fn is_idle(&self) -> bool {
        self.arrived.is_empty() && self.flying.is_empty() && self.errand.is_empty() && self.errand_ended.is_none()
    }

    /// Tells, once.
    pub(super) fn tell(&mut self, kind: NoticeKind, text: &str) {
        // What was under way when a cartridge was deleted fails, and is no trouble.
        let is_gone = matches!(self.dock.store.look_at(self.id), Err(StoreError::NotFound(_)));
        if !is_gone && self.told.as_deref() != Some(text) {
            self.told = Some(text.to_owned());
            let barcode = self.tape.as_ref().map(|tape| &tape.barcode);
            self.dock.listener.tell(kind, barcode, text);
        }
    }
}

fn outcome(ended: Result<Result<Errand, MoverError>, JoinError>) -> Result<Errand, MoverError> {
    ended.unwrap_or_else(|error| Err(error.into()))
}

fn survey(cartridge: &mut Cartridge, close_after: Duration) -> Survey {
    let settled = cartridge.settle_older_than(close_after);
    Survey {
        barcode: cartridge.facts().barcode,
        unshipped: cartridge.unshipped(),
        unfinished: cartridge.unfinished_bytes(),
        oldest: cartridge.oldest_unshipped(),
        problem: settled.err().map(|error| error.to_string()),
    }
}
