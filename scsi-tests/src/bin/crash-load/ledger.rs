//! What the journal comes to: what each cartridge may hold, where it may be, what is in doubt.
//!
//! The load keeps it while it runs, and the next run makes it again from the same lines.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use crate::history::{History, Object};
use crate::journal::{Action, Event, written};
use crate::options::Mode;

/// Something that is known, or that an operation in doubt may have changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim<T> {
    pub(crate) known: T,
    pub(crate) doubt: Option<T>,
}

/// Where a cartridge is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whereabouts {
    /// There is no such cartridge.
    Nowhere,
    At(u16),
    /// In a slot that nobody has told us: it was being created.
    Somewhere,
}

#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(crate) history: History,
    pub(crate) place: Claim<Whereabouts>,
    pub(crate) protected: Claim<bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) mode: Mode,
    pub(crate) seed: u64,
    pub(crate) cycle: u64,
    pub(crate) next_op: u64,
    pub(crate) tapes: BTreeMap<String, Tape>,
    /// Sent and not answered.
    pub(crate) in_doubt: BTreeMap<u64, Action>,
    /// Drives whose cartridge the host loads and unloads itself.
    pub(crate) host_loads: BTreeSet<u16>,
}

impl<T: Copy + PartialEq> Claim<T> {
    pub(crate) fn sure(known: T) -> Self {
        Self { known, doubt: None }
    }

    pub(crate) fn allows(&self, value: T) -> bool {
        self.known == value || self.doubt == Some(value)
    }

    fn settle(&mut self) {
        if let Some(value) = self.doubt.take() {
            self.known = value;
        }
    }
}

impl Claim<Whereabouts> {
    /// Whether a cartridge that was found at `address` may be there.
    pub(crate) fn allows_at(&self, address: u16) -> bool {
        self.allows(Whereabouts::At(address)) || self.doubt == Some(Whereabouts::Somewhere)
    }
}

impl Tape {
    /// A cartridge that is known.
    pub(crate) fn known(place: u16, protected: bool, objects: Vec<Object>) -> Self {
        Self {
            history: History::settled(objects),
            place: Claim::sure(Whereabouts::At(place)),
            protected: Claim::sure(protected),
        }
    }
}

impl Ledger {
    /// A ledger of a journal's lines.
    pub(crate) fn read(events: &[Event]) -> Result<Self> {
        let Some((Event::Run { mode, seed, cycle, next_op }, rest)) = events.split_first() else {
            anyhow::bail!("the journal does not begin with a run");
        };
        let mut ledger = Self::new(*mode, *seed, *cycle);
        ledger.next_op = *next_op;
        for event in rest {
            ledger.apply(event).with_context(|| format!("{event:?}"))?;
        }
        Ok(ledger)
    }

    pub(crate) fn new(mode: Mode, seed: u64, cycle: u64) -> Self {
        let (tapes, in_doubt, host_loads) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { mode, seed, cycle, next_op: 1, tapes, in_doubt, host_loads }
    }

    /// Lines that say the same as this ledger does, where nothing is in doubt.
    pub(crate) fn events(&self) -> Vec<Event> {
        let run = Event::Run { mode: self.mode, seed: self.seed, cycle: self.cycle, next_op: self.next_op };
        let tapes = self.tapes.iter().filter_map(|(barcode, tape)| self.verified(barcode, tape.history.present()));
        let drives = self.host_loads.iter().map(|drive| Event::HostLoads { drive: *drive });
        std::iter::once(run).chain(tapes).chain(drives).collect()
    }

    pub(crate) fn apply(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Run { .. } => anyhow::bail!("a second run in the journal"),
            Event::Cartridge { barcode, place, protected, objects } => {
                let objects = objects.iter().copied().map(Into::into).collect();
                self.tapes.insert(barcode.clone(), Tape::known(*place, *protected, objects));
            }
            Event::Found { barcode, place: None, .. } => {
                self.tapes.remove(barcode);
            }
            Event::Found { barcode, place: Some(place), protected } => {
                let tape = self.tapes.get_mut(barcode).context("no such cartridge")?;
                tape.place = Claim::sure(Whereabouts::At(*place));
                tape.protected = Claim::sure(*protected);
            }
            Event::HostLoads { drive } => {
                self.host_loads.insert(*drive);
            }
            Event::Sent { op, action } => {
                self.next_op = self.next_op.max(op.saturating_add(1));
                self.sent(*op, action)?;
                self.in_doubt.insert(*op, action.clone());
            }
            Event::Done { op, place } => {
                let action = self.in_doubt.remove(op).context("an answer to nothing")?;
                self.done(*op, &action, *place)?;
            }
        }
        Ok(())
    }

    fn sent(&mut self, op: u64, action: &Action) -> Result<()> {
        if let Action::Create { tape } = action {
            let place = Claim { known: Whereabouts::Nowhere, doubt: Some(Whereabouts::Somewhere) };
            let new = Tape { history: History::settled(Vec::new()), place, protected: Claim::sure(false) };
            ensure!(self.tapes.insert(tape.clone(), new).is_none(), "{tape} exists");
            return Ok(());
        }
        let tape = self.tapes.get_mut(action.tape()).context("no such cartridge")?;
        let length = tape.history.present().len();
        let history = &mut tape.history;
        let index = |at: &u64| usize::try_from(*at).ok().filter(|at| *at <= length).context("beyond the end");
        match action {
            Action::Write { at, lengths, .. } => history.put(op, index(at)?, written(op, lengths)),
            Action::Filemarks { count: 0, .. } => history.step(op),
            Action::Filemarks { at, count, .. } => {
                history.put(op, index(at)?, (0..*count).map(|_| Object::Filemark));
            }
            Action::Erase { at, .. } => history.put(op, index(at)?, std::iter::empty()),
            Action::Blank { .. } => history.put(op, 0, std::iter::empty()),
            Action::Load { drive, .. } => {
                self.host_loads.insert(*drive);
            }
            Action::Unload { drive, .. } => {
                history.step(op);
                self.host_loads.insert(*drive);
            }
            Action::Move { from, to, from_drive, .. } => {
                ensure!(tape.place == Claim::sure(Whereabouts::At(*from)), "it is not there: {:?}", tape.place);
                // Out of a slot it says nothing of what is on the tape, which nobody may have read yet.
                if *from_drive {
                    history.step(op);
                }
                tape.place.doubt = Some(Whereabouts::At(*to));
                self.host_loads.remove(to);
            }
            Action::Delete { .. } => tape.place.doubt = Some(Whereabouts::Nowhere),
            Action::Protect { protected, .. } => tape.protected.doubt = Some(*protected),
            Action::Create { .. } => {}
        }
        Ok(())
    }

    fn done(&mut self, op: u64, action: &Action, place: Option<u16>) -> Result<()> {
        let tape = self.tapes.get_mut(action.tape()).context("no such cartridge")?;
        if self.mode == Mode::Kill || action.is_recovery_point() {
            tape.history.pin(op);
        }
        match action {
            Action::Create { .. } => {
                tape.place = Claim::sure(Whereabouts::At(place.context("a new cartridge is nowhere")?));
            }
            Action::Move { .. } => tape.place.settle(),
            Action::Protect { .. } => tape.protected.settle(),
            Action::Delete { tape } => {
                self.tapes.remove(tape);
            }
            _ => {}
        }
        Ok(())
    }

    /// A line that says that these objects are on a cartridge.
    pub(crate) fn verified(&self, barcode: &str, objects: &[Object]) -> Option<Event> {
        let tape = self.tapes.get(barcode)?;
        let Whereabouts::At(place) = tape.place.known else { return None };
        let objects = objects.iter().copied().map(Into::into).collect();
        Some(Event::Cartridge { barcode: barcode.to_owned(), place, protected: tape.protected.known, objects })
    }

    /// The cartridge at this address, as far as is known.
    pub(crate) fn at(&self, address: u16) -> Option<&str> {
        let here = |tape: &Tape| tape.place.known == Whereabouts::At(address);
        self.tapes.iter().find(|(_, tape)| here(tape)).map(|(barcode, _)| barcode.as_str())
    }

    /// What the host believes to be on a cartridge.
    pub(crate) fn objects(&self, barcode: &str) -> &[Object] {
        self.tapes.get(barcode).map(|tape| tape.history.present()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(mode: Mode) -> Ledger {
        let mut ledger = Ledger::new(mode, 1, 1);
        ledger.tapes.insert("A".into(), Tape::known(1000, false, Vec::new()));
        ledger
    }

    fn send(ledger: &mut Ledger, op: u64, action: Action) {
        ledger.apply(&Event::Sent { op, action }).unwrap();
    }

    fn done(ledger: &mut Ledger, op: u64) {
        ledger.apply(&Event::Done { op, place: None }).unwrap();
    }

    fn write(at: u64) -> Action {
        Action::Write { tape: "A".into(), at, lengths: vec![1] }
    }

    /// How long the tape may be.
    fn possible(ledger: &Ledger) -> String {
        ledger.tapes["A"].history.matching().possible()
    }

    #[test]
    fn a_write_is_sure_when_answered_if_only_the_process_can_die() {
        for (mode, sure) in [(Mode::Kill, "1 to 2 objects"), (Mode::Power, "0 to 2 objects")] {
            let mut ledger = ledger(mode);
            send(&mut ledger, 1, write(0));
            done(&mut ledger, 1);
            send(&mut ledger, 2, write(1));
            assert_eq!(possible(&ledger), sure);
        }
    }

    #[test]
    fn a_filemark_without_immed_is_a_recovery_point() {
        for (immediate, sure) in [(false, "2 to 2 objects"), (true, "0 to 2 objects")] {
            let mut ledger = ledger(Mode::Power);
            send(&mut ledger, 1, write(0));
            done(&mut ledger, 1);
            send(&mut ledger, 2, Action::Filemarks { tape: "A".into(), at: 1, count: 1, immediate });
            done(&mut ledger, 2);
            assert_eq!(possible(&ledger), sure);
        }
    }

    #[test]
    fn a_move_in_doubt_leaves_two_places_and_an_answered_one_leaves_one() {
        let mut ledger = ledger(Mode::Power);
        let action = Action::Move { tape: "A".into(), from: 1000, to: 500, from_drive: false, to_drive: true };
        send(&mut ledger, 1, action);
        let allowed = |ledger: &Ledger| [1000, 500, 501].map(|at| ledger.tapes["A"].place.allows_at(at));
        assert_eq!(allowed(&ledger), [true, true, false]);
        done(&mut ledger, 1);
        assert_eq!(allowed(&ledger), [false, true, false]);
        let again = Ledger::read(&ledger.events()).unwrap();
        assert_eq!(again.at(500), Some("A"));
    }

    #[test]
    fn a_crash_while_verifying_does_not_forget_what_was_found() {
        let mut ledger = ledger(Mode::Power);
        let move_to = |from, to| Action::Move { tape: "A".into(), from, to, from_drive: true, to_drive: true };
        send(&mut ledger, 1, write(0));
        send(&mut ledger, 2, move_to(1000, 500));
        ledger.apply(&Event::Found { barcode: "A".into(), place: Some(500), protected: false }).unwrap();
        let event = ledger.verified("A", &[]).unwrap();
        ledger.apply(&event).unwrap();
        send(&mut ledger, 3, move_to(500, 501));
        done(&mut ledger, 3);
        assert_eq!(possible(&ledger), "0 to 0 objects");
        assert_eq!(ledger.at(501), Some("A"));
    }

    #[test]
    fn fetching_a_cartridge_to_verify_it_does_not_settle_what_was_in_doubt() {
        let mut ledger = ledger(Mode::Kill);
        send(&mut ledger, 1, write(0));
        done(&mut ledger, 1);
        send(&mut ledger, 2, Action::Blank { tape: "A".into() });
        ledger.apply(&Event::Found { barcode: "A".into(), place: Some(11), protected: false }).unwrap();
        send(&mut ledger, 3, Action::Move { tape: "A".into(), from: 11, to: 500, from_drive: false, to_drive: true });
        done(&mut ledger, 3);
        send(&mut ledger, 4, Action::Load { tape: "A".into(), drive: 500 });
        done(&mut ledger, 4);
        assert_eq!(possible(&ledger), "1 to 1 objects, or 0 to 0 objects");
    }

    #[test]
    fn what_is_deleted_is_gone_and_what_is_being_created_may_be_anywhere() {
        let mut ledger = ledger(Mode::Power);
        send(&mut ledger, 1, Action::Delete { tape: "A".into() });
        assert!(ledger.tapes["A"].place.allows(Whereabouts::Nowhere));
        done(&mut ledger, 1);
        assert!(ledger.tapes.is_empty());
        send(&mut ledger, 2, Action::Create { tape: "A".into() });
        assert!(ledger.tapes["A"].place.allows_at(1007));
        ledger.apply(&Event::Done { op: 2, place: Some(1003) }).unwrap();
        assert!(!ledger.tapes["A"].place.allows_at(1007));
    }
}
