//! What a gateway had, as the tier says it, and what its catalog has to say.

use std::collections::{BTreeMap, BTreeSet};

use capstan_cartridge::Facts;
use capstan_catalog::{CartridgeState, ImageError, State};
use capstan_media::{CartridgeId, GatewayId, Layout};
use capstan_mover::{ClaimedTape, GatewayFound, KeyFound, Remains, TapeFound, TapeName};

use super::{Fate, TapeBack, TierRecoverOptions, TierRecovery, Told, lost};
use crate::LibraryError;
use crate::clock::unix_seconds;
use crate::recover::plan::{OnDisk, Planned, plan};
use crate::recover::{Base, Remark, RemarkKind};

/// All that was read.
pub(super) struct Survey {
    pub(super) gateway: GatewayFound,
    /// The highest change of which a state is there, good or not.
    pub(super) highest: u64,
    /// The newest good state, and its change.
    known: Option<(u64, State)>,
    pub(super) tapes: Vec<(TapeFound, Fate)>,
    remarks: Vec<Remark>,
}

impl Survey {
    /// Reads it all.
    pub(super) fn make(options: &TierRecoverOptions, remains: &Remains, told: Told<'_>) -> Result<Self, LibraryError> {
        let gateway = find(remains, &options.gateway)?;
        let mut survey = Self { gateway, highest: 0, known: None, tapes: Vec::new(), remarks: Vec::new() };
        survey.read_states(remains)?;
        let (claimed, bad) = remains.claimed(&mut |done, of| told("reading claims", done, of))?;
        for key in bad {
            survey.remark(RemarkKind::BadClaim, None, format!("{key} is no claim: whose barcode it is cannot be told"));
        }
        let names = survey.candidates(options, &claimed);
        survey.forget_others(options);
        let tapes = remains.tapes(names, &mut |done, of| told("reading manifests", done, of))?;
        survey.judge(tapes, &claimed);
        survey.check_asked(options)?;
        survey.check_keys()?;
        Ok(survey)
    }

    /// Those that come back with something in the tier.
    pub(super) fn good(&self) -> impl Iterator<Item = &TapeFound> {
        self.tapes.iter().filter(|(_, fate)| matches!(fate, Fate::Whole | Fate::Cut(_))).map(|(tape, _)| tape)
    }

    /// What each of those holds that come back blank.
    pub(super) fn blank(&self) -> impl Iterator<Item = Facts> {
        let blank = self.tapes.iter().filter(|(_, fate)| *fate == Fate::Blank);
        blank.filter_map(|(tape, _)| self.blank_facts(tape.tape.cartridge))
    }

    fn read_states(&mut self, remains: &Remains) -> Result<(), LibraryError> {
        let changes = remains.library_states(self.gateway.id)?;
        self.highest = changes.first().copied().unwrap_or(0);
        for change in changes {
            let bytes = remains.library_state(self.gateway.id, change)?.unwrap_or_default();
            let why = match State::decode(&bytes) {
                Ok((number, _)) if number != change => format!("it is that after change {number}"),
                Ok((_, state)) if state.identity.map(|row| row.uuid) != Some(self.gateway.id.0) => {
                    "it is that of another library".to_owned()
                }
                Ok((_, state)) => match state.check() {
                    Ok(()) => {
                        self.known = Some((change, state));
                        return Ok(());
                    }
                    Err(error) => error.to_string(),
                },
                Err(error @ ImageError::NewerVersion(_)) => {
                    return Err(LibraryError::TierNewer(format!("the library state after change {change}: {error}")));
                }
                Err(error) => error.to_string(),
            };
            let what = format!(
                "its state after change {change} cannot be used ({why}): what was moved since the one \
                                before is not known"
            );
            self.remark(RemarkKind::Uncertain, None, what);
        }
        Ok(())
    }

    /// What may be of this gateway: what its library knew, and what it has claimed.
    fn candidates(&self, options: &TierRecoverOptions, claimed: &[ClaimedTape]) -> Vec<TapeName> {
        let by_id: BTreeMap<CartridgeId, &TapeName> = claimed.iter().map(|it| (it.tape.cartridge, &it.tape)).collect();
        let mut names: BTreeMap<CartridgeId, TapeName> = BTreeMap::new();
        for (id, row) in self.known.iter().flat_map(|(_, state)| &state.cartridges) {
            let claimed = by_id.get(id).map(|tape| (*tape).clone());
            let name = claimed.unwrap_or_else(|| TapeName { barcode: row.barcode.clone(), cartridge: *id });
            names.insert(*id, name);
        }
        for ClaimedTape { tape, .. } in claimed.iter().filter(|claim| claim.by == self.gateway.id) {
            names.entry(tape.cartridge).or_insert_with(|| tape.clone());
        }
        let wanted = |tape: &TapeName| options.tapes.is_empty() || options.tapes.contains(&tape.barcode);
        names.into_values().filter(wanted).collect()
    }

    /// Forgets what was not asked for.
    fn forget_others(&mut self, options: &TierRecoverOptions) {
        if options.tapes.is_empty() {
            return;
        }
        let Some((_, state)) = &mut self.known else { return };
        let before = state.cartridges.len();
        state.cartridges.retain(|_, row| options.tapes.contains(&row.barcode));
        let State { cartridges, places, .. } = state;
        places.retain(|_, row| cartridges.contains_key(&row.cartridge));
        let left = before.saturating_sub(state.cartridges.len());
        if left > 0 {
            let what = format!("{left} more cartridges were not asked for and are not listed; they stay in the tier");
            self.remark(RemarkKind::NotAsked, None, what);
        }
    }

    /// What becomes of each.
    fn judge(&mut self, tapes: Vec<TapeFound>, claimed: &[ClaimedTape]) {
        let labels: BTreeMap<_, _> = claimed.iter().map(|it| (it.tape.barcode.clone(), it.tape.cartridge)).collect();
        for tape in tapes {
            let id = tape.tape.cartridge;
            let is_known = self.known.iter().any(|(_, state)| state.cartridges.contains_key(&id));
            let writer = tape.chain.manifest.as_ref().map(|manifest| manifest.writer);
            if let Some(other) = writer.filter(|writer| *writer != self.gateway.id) {
                self.leave(id, other);
                continue;
            }
            let taken = labels.get(&tape.tape.barcode).is_some_and(|owner| *owner != id);
            let fate = match (&tape.chain.broken, tape.facts()) {
                (None, Some(_)) => Fate::Whole,
                (Some(broken), Some(_)) => Fate::Cut(broken.clone()),
                (Some(broken), None) => Fate::Lost(format!("delta {} cannot be used: {}", broken.number, broken.why)),
                (None, None) if taken => Fate::Lost("its barcode is that of another cartridge in the tier".to_owned()),
                (None, None) if tape.is_nothing() && is_known => Fate::Blank,
                (None, None) if tape.is_nothing() => {
                    let what = "its barcode is claimed, and nothing else of it was ever in the tier: it is left out";
                    self.remark(RemarkKind::Blank, Some(id), format!("{}: {what}", tape.tape.barcode));
                    continue;
                }
                (None, None) => Fate::Lost("there is no manifest that says what is on it".to_owned()),
            };
            self.tell(&tape, &fate);
            self.tapes.push((tape, fate));
        }
    }

    /// It is another gateway's now.
    fn leave(&mut self, id: CartridgeId, other: GatewayId) {
        let label = self.known.iter().find_map(|(_, state)| Some(state.cartridges.get(&id)?.barcode.to_string()));
        if let Some((_, state)) = &mut self.known {
            state.cartridges.remove(&id);
            state.places.retain(|_, row| row.cartridge != id);
        }
        let mut what = format!("gateway {other} goes on with it: it stays there");
        if let Some(label) = label {
            what = format!("{label}: {what}");
        }
        self.remark(RemarkKind::Elsewhere, Some(id), what);
    }

    fn tell(&mut self, tape: &TapeFound, fate: &Fate) {
        let id = Some(tape.tape.cartridge);
        match fate {
            Fate::Whole => {}
            Fate::Cut(broken) => {
                let mut what = format!("it comes back as it was before delta {}: {}", broken.number, broken.why);
                if let (Some(to), Some(facts)) = (broken.recorded_to, tape.facts()) {
                    what.push_str(&format!("; objects {} to {to} were recorded behind it", facts.objects));
                }
                self.remark(RemarkKind::Cut, id, what);
            }
            Fate::Blank => {
                let what = "nothing of it was ever in the tier: it comes back blank";
                self.remark(RemarkKind::Blank, id, what.to_owned());
            }
            Fate::Lost(why) => self.remark(RemarkKind::Lost, id, format!("{}: {why}", tape.tape.barcode)),
        }
        for row in &tape.missing {
            let (first, last) = (row.start.object, row.end.object.saturating_sub(1));
            let what = format!("segment {} is not in the tier: objects {first} to {last} are lost", row.sequence);
            self.remark(RemarkKind::NoObject, id, what);
        }
        if tape.unnamed > 0 {
            tracing::info!(cartridge = %tape.tape.cartridge, objects = tape.unnamed, "objects that no delta names");
        }
    }

    fn check_asked(&self, options: &TierRecoverOptions) -> Result<(), LibraryError> {
        let there: BTreeSet<_> = self.tapes.iter().map(|(tape, _)| &tape.tape.barcode).collect();
        match options.tapes.iter().find(|barcode| !there.contains(barcode)) {
            Some(missing) => Err(LibraryError::NotInTier(missing.clone(), self.gateway.name.clone())),
            None => Ok(()),
        }
    }

    /// Before anything is written: without its key a cartridge is no use.
    fn check_keys(&self) -> Result<(), LibraryError> {
        let mut closed: Vec<_> = self
            .good()
            .filter_map(|tape| match &tape.key {
                KeyFound::Closed(why) => Some((tape.tape.barcode.clone(), why.clone())),
                KeyFound::None | KeyFound::Opened => None,
            })
            .collect();
        closed.sort();
        let count = closed.len();
        match closed.into_iter().next() {
            Some((barcode, why)) => Err(LibraryError::TapeClosed { barcode, why, count }),
            None => Ok(()),
        }
    }

    fn blank_facts(&self, id: CartridgeId) -> Option<Facts> {
        let (_, state) = self.known.as_ref()?;
        let row = state.cartridges.get(&id)?;
        Some(Facts {
            id,
            barcode: row.barcode.clone(),
            capacity: row.capacity,
            used: 0,
            objects: 0,
            filemarks: 0,
            protected: false,
            fenced: false,
            clean: true,
        })
    }

    /// What the catalog has to say, and what is to be told.
    pub(super) fn plan(&self, layout: &Layout) -> TierRecovery {
        let mut known = self.known.as_ref().map(|(_, state)| state.clone());
        let mut back = Vec::new();
        for (tape, fate) in &self.tapes {
            let id = tape.tape.cartridge;
            let row = known.as_mut().and_then(|state| state.cartridges.get_mut(&id));
            let facts = match fate {
                Fate::Whole | Fate::Cut(_) => tape.facts(),
                Fate::Blank => self.blank_facts(id),
                Fate::Lost(_) => None,
            };
            match (row, &facts) {
                // The state in the tier may be some seconds older than the cartridge.
                (Some(row), Some(_)) if row.state == CartridgeState::Creating => row.state = CartridgeState::Available,
                (Some(row), None) => row.state = lost(row.state),
                _ => {}
            }
            back.extend(facts.map(|facts| (id, Ok(facts))));
        }
        let base = self.known.as_ref().map_or(Base::Cartridges, |(revision, _)| Base::Tier { revision: *revision });
        let on_disk = OnDisk { directory: "the tier".into(), cartridges: back };
        let uuid = self.gateway.id.0;
        let Planned { state, mut remarks } = plan(known.as_ref(), &base, on_disk, layout, unix_seconds(), uuid);
        // That is said in other words here; and the identity is the gateway's, which is known.
        remarks.retain(|remark| !matches!(remark.kind, RemarkKind::NoFiles | RemarkKind::NewIdentity));
        remarks.splice(0..0, self.remarks.clone());
        for remark in &mut remarks {
            let Some(id) = remark.cartridge else { continue };
            remark.place = state.places.iter().find(|(_, row)| row.cartridge == id).map(|(place, _)| *place);
            remark.barcode = state.cartridges.get(&id).map(|row| row.barcode.to_string());
        }
        let mut tapes: Vec<TapeBack> = self.tapes.iter().map(|(tape, fate)| self.back(tape, fate, &state)).collect();
        tapes.sort_by(|one, other| one.barcode.cmp(&other.barcode));
        TierRecovery {
            gateway: self.gateway.clone(),
            change: self.known.as_ref().map(|(change, _)| *change),
            state,
            tapes,
            remarks,
            rehearsal: None,
            written: false,
        }
    }

    fn back(&self, tape: &TapeFound, fate: &Fate, state: &State) -> TapeBack {
        let id = tape.tape.cartridge;
        let facts = if *fate == Fate::Blank { self.blank_facts(id) } else { tape.facts() };
        let label = state.cartridges.get(&id).map_or(&tape.tape.barcode, |row| &row.barcode);
        TapeBack {
            id,
            barcode: label.clone(),
            place: state.places.iter().find(|(_, row)| row.cartridge == id).map(|(place, _)| *place),
            fate: fate.clone(),
            facts,
            written: tape.chain.manifest.as_ref().map(|_| tape.chain.written),
            encrypted: tape.is_encrypted(),
            missing: tape.missing.iter().map(|row| (row.sequence, row.start.object, row.end.object)).collect(),
        }
    }

    fn remark(&mut self, kind: RemarkKind, cartridge: Option<CartridgeId>, what: String) {
        self.remarks.push(Remark { kind, barcode: None, cartridge, place: None, what });
    }
}

/// The gateway of that name or UUID.
fn find(remains: &Remains, wanted: &str) -> Result<GatewayFound, LibraryError> {
    let all = remains.gateways()?;
    let is_it = |it: &GatewayFound| it.name == wanted || it.id.to_string() == wanted;
    let mut found: Vec<GatewayFound> = all.iter().filter(|it| is_it(it)).cloned().collect();
    let list = |all: &[GatewayFound]| all.iter().map(|it| format!("{} ({})", it.name, it.id)).collect::<Vec<_>>();
    match found.len() {
        0 => Err(LibraryError::NoGateway { wanted: wanted.to_owned(), there: list(&all) }),
        1 => Ok(found.remove(0)),
        _ => Err(LibraryError::SeveralGateways { wanted: wanted.to_owned(), there: list(&found) }),
    }
}
