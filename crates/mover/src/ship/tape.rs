//! A cartridge that has something to ship, or may have it soon.
//!
//! One task for each, in turns: ask the cartridge what is unshipped, let segments go, and every few seconds write one
//! delta for all that have arrived. What a turn leaves undone the next one finds again, so that a failure anywhere, and a
//! kill, cost no more than the work under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capstan_cartridge::{Cartridge, Shipment, Unshipped};
use capstan_format::manifest::{RecoveryPoint, Row};
use capstan_media::{Barcode, CartridgeId};
use capstan_tier::Body;
use capstan_tier::names::{SegmentName, TapeName};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::delta::Standing;
use super::settle::Movable;
use super::{Dock, Posted, Shipped};
use crate::MoverError;
use crate::claims::Claimed;
use crate::ledger::{Change, Ledger};
use crate::notice::NoticeKind;
use crate::view::TapeShipping;

/// A task for one cartridge.
pub(crate) struct TapeTask {
    dock: Arc<Dock>,
    id: CartridgeId,
    tape: Option<TapeName>,
    ledger: Option<Ledger>,
    in_flight: JoinSet<(u64, Result<Row, MoverError>)>,
    flying: BTreeSet<u64>,
    arrived: Shipped,
    last_delta: Option<Instant>,
    /// When segments were first seen that the cartridge does not know the age of.
    seen: Instant,
    /// What was told last, so that it is told once.
    told: Option<String>,
}

/// What a cartridge says of itself.
#[derive(Clone, Debug)]
struct Survey {
    barcode: Barcode,
    unshipped: Vec<Unshipped>,
    oldest: Option<Instant>,
    problem: Option<String>,
}

/// What a turn came to.
enum Turn {
    /// There is nothing to do for now.
    Idle,
    /// There is nothing to do until somebody works on the cartridge.
    Done,
    /// There is more to do.
    Busy,
}

impl TapeTask {
    pub(crate) fn new(dock: Arc<Dock>, id: CartridgeId) -> Self {
        Self {
            dock,
            id,
            tape: None,
            ledger: None,
            in_flight: JoinSet::new(),
            flying: BTreeSet::new(),
            arrived: Shipped::new(),
            last_delta: None,
            seen: Instant::now(),
            told: None,
        }
    }

    /// Runs until there is nothing to ship and the cartridge is in no drive.
    pub(crate) async fn run(mut self) {
        loop {
            let pause = match self.turn().await {
                Ok(Turn::Done) => break,
                Ok(Turn::Idle) => self.dock.rules.look_every,
                Ok(Turn::Busy) => self.dock.rules.look_every.min(Duration::from_millis(250)),
                Err(MoverError::Stopped) => return,
                Err(error) => {
                    self.tell(NoticeKind::NotShipped, &error.to_string());
                    // It is read anew: the disk may have it or not.
                    self.ledger = None;
                    self.dock.rules.try_again
                }
            };
            self.wait(pause).await;
        }
        let mut board = self.dock.board();
        if let Some(posted) = board.get_mut(&self.id) {
            posted.oldest = None;
        }
    }

    /// Waits for a segment to arrive, but not longer than that.
    async fn wait(&mut self, pause: Duration) {
        tokio::select! {
            Some(arrived) = self.in_flight.join_next() => self.take(arrived),
            () = sleep(pause) => {}
        }
    }

    fn take(&mut self, arrived: Result<(u64, Result<Row, MoverError>), tokio::task::JoinError>) {
        let Ok((sequence, result)) = arrived else { return };
        self.flying.remove(&sequence);
        match result {
            Ok(row) => {
                self.told = None;
                self.arrived.insert(sequence, row);
            }
            Err(MoverError::Stopped) => {}
            Err(error) => self.tell(NoticeKind::NotShipped, &error.to_string()),
        }
    }

    async fn turn(&mut self) -> Result<Turn, MoverError> {
        while let Some(arrived) = self.in_flight.try_join_next() {
            self.take(arrived);
        }
        let close_after = self.dock.rules.close_after;
        let survey = self.dock.borrow(self.id, move |cartridge| survey(cartridge, close_after)).await?;
        let Some(survey) = survey else {
            self.dock.board().remove(&self.id);
            return Ok(Turn::Done);
        };
        let (loaded, survey) = (survey.loaded, survey.value);
        if let Some(problem) = survey.problem {
            return Err(MoverError::Cartridge { id: self.id, what: problem });
        }
        let tape = TapeName { barcode: survey.barcode.clone(), cartridge: self.id };
        self.tape = Some(tape.clone());
        self.post(&survey.unshipped, survey.oldest);
        if !self.dock.may_ship() {
            return Ok(Turn::Idle);
        }
        self.begin(&tape).await?;
        self.launch(&tape, &survey.unshipped);
        let is_due = self.last_delta.is_none_or(|last| last.elapsed() >= self.dock.rules.delta_every);
        // A cartridge that was touched may have something to say without a new segment: that it was erased or protected.
        if is_due && (self.flying.is_empty() || !self.arrived.is_empty()) {
            self.report(&tape).await?;
        }
        let waits = survey.unshipped.iter().any(|it| !self.arrived.contains_key(&it.sequence));
        Ok(match (waits || !self.arrived.is_empty() || !self.flying.is_empty(), loaded) {
            (true, _) => Turn::Busy,
            (false, true) => Turn::Idle,
            (false, false) if is_due => Turn::Done,
            (false, false) => Turn::Busy,
        })
    }

    /// Before anything of a cartridge is shipped: its log, its key, its barcode.
    async fn begin(&mut self, tape: &TapeName) -> Result<(), MoverError> {
        if self.ledger.is_some() {
            return Ok(());
        }
        let mut ledger = self.dock.ledger(self.id).await?;
        if ledger.manifest.is_none() {
            let (dock, claimant) = (&self.dock, &self.dock.claimant);
            if let Claimed::Refused(what) = claimant.claim_barcode(&dock.link, &dock.names, tape).await? {
                return Err(MoverError::Cartridge { id: self.id, what });
            }
        }
        self.ship_key(tape).await?;
        if self.dock.confirm(tape, &mut ledger).await? == Standing::Fenced {
            return Err(self.fenced());
        }
        self.ledger = Some(ledger);
        Ok(())
    }

    async fn ship_key(&self, tape: &TapeName) -> Result<(), MoverError> {
        let (store, keys, id) = (self.dock.store.clone(), Arc::clone(&self.dock.keys), self.id);
        let wrapped = tokio::task::spawn_blocking(move || keys.wrapped(&store.look_at(id)?));
        if let Some((number, bytes)) = wrapped.await.map_err(|_| MoverError::Stopped)?? {
            let name = self.dock.names.wrapped_key(tape, number);
            // There already is as good: nobody else wraps keys of this cartridge.
            self.dock.link.create(&name, Body::from(bytes)).await?;
        }
        Ok(())
    }

    fn post(&mut self, unshipped: &[Unshipped], oldest: Option<Instant>) {
        match oldest {
            Some(oldest) => self.seen = oldest,
            None if unshipped.is_empty() => self.seen = Instant::now(),
            None => {}
        }
        let directory = self.dock.store.look_at(self.id).ok();
        let length = |sequence| {
            let segment = directory.as_ref().and_then(|directory| directory.open_segment(sequence).ok());
            segment.map_or(0, |segment| segment.length())
        };
        let bytes = unshipped.iter().map(|it| length(it.sequence)).fold(0, u64::saturating_add);
        let oldest = oldest.or_else(|| (!unshipped.is_empty()).then_some(self.seen));
        let mut board = self.dock.board();
        let posted = board.entry(self.id).or_default();
        *posted = Posted { shipping: TapeShipping { unshipped_bytes: bytes, ..posted.shipping }, oldest };
    }

    /// Lets segments go, oldest first.
    fn launch(&mut self, tape: &TapeName, unshipped: &[Unshipped]) {
        for &Unshipped { sequence, end } in unshipped {
            if self.flying.len() >= self.dock.rules.parallel {
                return;
            }
            if self.arrived.contains_key(&sequence) || !self.flying.insert(sequence) {
                continue;
            }
            let (dock, tape) = (Arc::clone(&self.dock), tape.clone());
            self.in_flight.spawn(async move { (sequence, dock.ship(tape, sequence, end).await) });
        }
    }

    /// Writes a delta, if there is anything to say, and lets the cartridge know.
    async fn report(&mut self, tape: &TapeName) -> Result<(), MoverError> {
        let Some(ledger) = self.ledger.clone() else { return Ok(()) };
        let rows: Vec<Row> = self.arrived.values().cloned().collect();
        let asked = rows.clone();
        let shipment = self.dock.borrow(self.id, move |cartridge| cartridge.shipment(&asked)).await?;
        let Some(Some(shipment)) = shipment.map(|borrowed| borrowed.value) else { return Ok(()) };
        let Shipment { rows: parts, released, meta, points, tier_to } = shipment;
        let last_point = points.last().copied();
        let change = Change { rows: parts, released, meta, points };
        if !ledger.is_news(&change) {
            self.arrived.clear();
            self.under_way_no_more(tape, &rows);
            return self.tidy(tier_to, None).await;
        }
        self.last_delta = Some(Instant::now());
        self.ledger = None;
        let (ledger, standing) = self.dock.write_delta(tape, ledger, change).await?;
        if standing == Standing::Fenced {
            return Err(self.fenced());
        }
        self.ledger = Some(ledger);
        self.arrived.clear();
        self.under_way_no_more(tape, &rows);
        self.tidy(tier_to, last_point).await
    }

    fn under_way_no_more(&self, tape: &TapeName, rows: &[Row]) {
        let mut under_way = self.dock.under_way();
        for &Row { sequence, epoch, random, .. } in rows {
            under_way.remove(&self.dock.names.segment(tape, SegmentName { sequence, epoch, random }));
        }
    }

    /// The cartridge learns what is in the tier; its files go where they belong.
    async fn tidy(&mut self, tier_to: u64, last_point: Option<RecoveryPoint>) -> Result<(), MoverError> {
        let told = self.dock.borrow(self.id, move |cartridge| {
            if let Some(last) = last_point {
                cartridge.points_shipped(last);
            }
            let limit = cartridge.read_shipped().and_then(|()| cartridge.cover());
            limit.map(|limit| (limit, cartridge.last_segments())).map_err(|error| error.to_string())
        });
        let Some(told) = told.await? else { return Ok(()) };
        let failed = |what| MoverError::Cartridge { id: self.id, what };
        let (limit, last) = told.value.map_err(failed)?;
        self.dock.board().entry(self.id).or_default().shipping.tier_to = tier_to;
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let movable = Movable::new(ledger, limit, if told.loaded { last } else { Vec::new() });
        self.dock.settle(self.id, movable).await
    }

    fn fenced(&mut self) -> MoverError {
        let what = "another gateway goes on with it in the tier: nothing more of it is shipped from here".to_owned();
        self.tell(NoticeKind::Fenced, &what);
        MoverError::Cartridge { id: self.id, what }
    }

    /// Tells, once.
    fn tell(&mut self, kind: NoticeKind, text: &str) {
        if self.told.as_deref() != Some(text) {
            self.told = Some(text.to_owned());
            let barcode = self.tape.as_ref().map(|tape| &tape.barcode);
            self.dock.listener.tell(kind, barcode, text);
        }
    }
}

fn survey(cartridge: &mut Cartridge, close_after: Duration) -> Survey {
    let settled = cartridge.settle_older_than(close_after);
    Survey {
        barcode: cartridge.facts().barcode,
        unshipped: cartridge.unshipped(),
        oldest: cartridge.oldest_unshipped(),
        problem: settled.err().map(|error| error.to_string()),
    }
}
