//! Answers to operators' questions, from memory and the drives' gauges.

use std::collections::BTreeMap;

use capstan_media::{Barcode, CartridgeId, ElementAddress, ElementKind, Place};

use super::actor::{DrivePost, LibrarianActor};
use super::request::Question;
use crate::LibraryError;
use crate::options::drive_suffix;
use crate::view::{DriveInfo, DriveState, ElementInfo, Statistics, TapeInfo};

impl LibrarianActor {
    pub(super) fn answer(&mut self, question: Question) {
        // Whoever asked may have gone.
        match question {
            Question::Tapes(reply) => drop(reply.send(Ok(self.tapes()))),
            Question::Tape(barcode, reply) => drop(reply.send(self.tape(&barcode))),
            Question::Elements(reply) => drop(reply.send(Ok(self.elements()))),
            Question::Drives(reply) => drop(reply.send(Ok(self.drive_infos()))),
            Question::Statistics(reply) => drop(reply.send(Ok(self.statistics()))),
        }
    }

    fn tapes(&self) -> Vec<TapeInfo> {
        let mut tapes: Vec<TapeInfo> =
            self.inventory.state().cartridges.keys().filter_map(|id| self.tape_info(*id)).collect();
        tapes.sort_by(|one, other| one.barcode.cmp(&other.barcode));
        tapes
    }

    fn tape(&self, barcode: &Barcode) -> Result<TapeInfo, LibraryError> {
        let (id, _) = self.inventory.find(barcode)?;
        self.tape_info(id).ok_or_else(|| LibraryError::UnknownTape(barcode.clone()))
    }

    pub(super) fn tape_info(&self, id: CartridgeId) -> Option<TapeInfo> {
        let row = self.inventory.cartridge(id)?;
        let place = self.inventory.place_of(id);
        let mut info = TapeInfo {
            barcode: row.barcode.clone(),
            id,
            state: row.state,
            place,
            size: row.capacity,
            used: 0,
            objects: 0,
            filemarks: 0,
            protected: false,
            durable_to: 0,
            created: row.created,
            problem: None,
        };
        match self.inventory.contents(id) {
            Some(Ok(facts)) => {
                (info.used, info.objects, info.filemarks) = (facts.used, facts.objects, facts.filemarks);
                (info.protected, info.durable_to) = (facts.protected, facts.objects);
            }
            Some(Err(problem)) => info.problem = Some(problem.clone()),
            None => {}
        }
        if let Some(Place::Drive(drive)) = place
            && let Some(post) = self.drives.get(usize::from(drive))
        {
            if post.gauge.state() == DriveState::Loaded {
                let contents = post.gauge.contents();
                (info.used, info.objects, info.filemarks) = (contents.used, contents.objects, contents.filemarks);
                (info.protected, info.durable_to) = (contents.protected, contents.durable_to);
                info.problem = None;
            } else if post.problem.is_some() {
                info.problem.clone_from(&post.problem);
            }
        }
        Some(info)
    }

    fn elements(&self) -> Vec<ElementInfo> {
        let threaded = |drive: u16| {
            let post = self.drives.get(usize::from(drive));
            post.is_some_and(|post| post.gauge.state() == DriveState::Loaded)
        };
        let layout = self.inventory.layout();
        let kinds = [ElementKind::Storage, ElementKind::ImportExport, ElementKind::DataTransfer];
        let elements = kinds
            .into_iter()
            .flat_map(|kind| self.inventory.elements(Some(kind), ElementAddress(0), u16::MAX, threaded));
        elements
            .filter_map(|element| {
                let place = layout.place(element.address)?;
                let source = element.source.and_then(|address| layout.place(address));
                Some(ElementInfo { element, place, source })
            })
            .collect()
    }

    fn drive_infos(&self) -> Vec<DriveInfo> {
        (0_u16..).zip(&self.drives).map(|(index, post)| self.drive_info(index, post)).collect()
    }

    fn drive_info(&self, index: u16, post: &DrivePost) -> DriveInfo {
        let held = self.inventory.at(Place::Drive(index));
        let state = post.gauge.state();
        DriveInfo {
            index,
            serial: post.serial.clone(),
            target_suffix: drive_suffix(index),
            state,
            busy: post.gauge.is_busy() || post.adrift.is_some(),
            barcode: held.and_then(|id| self.inventory.barcode(id)),
            write_bytes: post.gauge.write_bytes(),
            read_bytes: post.gauge.read_bytes(),
            position: (state == DriveState::Loaded).then(|| post.gauge.position()),
            problem: post.problem.clone(),
        }
    }

    fn statistics(&self) -> Statistics {
        let mut by_state = BTreeMap::new();
        let (mut used, mut capacity) = (0_u64, 0_u64);
        for tape in self.tapes() {
            *by_state.entry(tape.state).or_insert(0_u64) += 1;
            used = used.saturating_add(tape.used);
            capacity = capacity.saturating_add(tape.size);
        }
        let sum = |of: fn(&DrivePost) -> u64| self.drives.iter().map(of).fold(0, u64::saturating_add);
        Statistics {
            tapes_by_state: by_state.into_iter().collect(),
            used,
            capacity,
            moves: self.moves,
            write_bytes: sum(|post| post.gauge.write_bytes()),
            read_bytes: sum(|post| post.gauge.read_bytes()),
        }
    }
}
