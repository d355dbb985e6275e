//! What has to be: places, and what each tape may hold.

use std::collections::BTreeMap;

use crate::script::Op;

pub const SLOT: u16 = 1000;
pub const DRIVE: u16 = 500;
pub const DRIVES: u16 = 2;

/// What is on a tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    /// A block of its own number and length.
    Block(u64, usize),
    Filemark,
}

/// The bytes of a block: nothing in it is like another block.
pub fn block(number: u64, length: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = number.to_be_bytes().to_vec();
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// One tape: what it holds, and what it may hold when something happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reel {
    pub now: Vec<Object>,
    /// After a loss of power: all that it has held since the last recovery point.
    pub possible: Vec<Vec<Object>>,
    /// After the death of the process: all that it has held since the last answer.
    pub latest: Vec<Vec<Object>>,
    pub protected: bool,
}

impl Reel {
    fn blank() -> Self {
        Self { now: Vec::new(), possible: vec![Vec::new()], latest: vec![Vec::new()], protected: false }
    }

    /// It is this from now on, if the operation comes through.
    fn becomes(&mut self, state: Vec<Object>) {
        self.passes(state.clone());
        self.now = state;
    }

    fn passes(&mut self, state: Vec<Object>) {
        if self.possible.last() != Some(&state) {
            self.possible.push(state.clone());
        }
        self.latest.push(state);
    }

    fn settle(&mut self) {
        self.possible = vec![self.now.clone()];
        self.latest = vec![self.now.clone()];
    }
}

/// The library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct World {
    /// Labels by element address.
    pub places: BTreeMap<u16, String>,
    pub reels: BTreeMap<String, Reel>,
    /// Where each drive stands on its tape; `None` where none is threaded.
    pub heads: [Option<usize>; DRIVES as usize],
}

impl World {
    pub fn first() -> Self {
        let labels = ["CAP001L8", "CAP002L8", "CAP003L8"].map(str::to_owned);
        Self {
            places: (SLOT..).zip(labels.clone()).collect(),
            reels: labels.into_iter().map(|label| (label, Reel::blank())).collect(),
            heads: [None; DRIVES as usize],
        }
    }

    pub fn in_drive(&self, drive: u16) -> Option<&String> {
        self.places.get(&(DRIVE + drive))
    }

    /// The tape in a drive, and where the drive stands on it.
    pub fn threaded(&self, drive: u16) -> Option<(&Reel, usize)> {
        let head = self.heads[usize::from(drive)]?;
        Some((&self.reels[self.in_drive(drive)?], head))
    }

    fn reel(&mut self, drive: u16) -> &mut Reel {
        let label = self.places[&(DRIVE + drive)].clone();
        self.reels.get_mut(&label).unwrap()
    }

    fn take(&mut self, address: u16) -> String {
        if (DRIVE..DRIVE + DRIVES).contains(&address) {
            self.heads[usize::from(address - DRIVE)] = None;
        }
        self.places.remove(&address).unwrap()
    }

    fn put(&mut self, address: u16, label: String) {
        if (DRIVE..DRIVE + DRIVES).contains(&address) {
            self.heads[usize::from(address - DRIVE)] = Some(0);
        }
        assert_eq!(self.places.insert(address, label), None);
    }

    /// What is while an operation is under way; what it makes durable is not yet.
    pub fn begin(&self, op: &Op) -> Self {
        let mut next = self.clone();
        for reel in next.reels.values_mut() {
            reel.latest = vec![reel.now.clone()];
        }
        match op {
            Op::Move(from, to) => {
                let label = next.take(*from);
                next.put(*to, label);
            }
            Op::Exchange(from, first, second) => {
                let (moving, making_room) = (next.take(*from), next.take(*first));
                next.put(*first, moving);
                next.put(*second, making_room);
            }
            Op::Write(drive, number, length) => next.append(*drive, &[Object::Block(*number, *length)]),
            Op::Filemarks(drive, count, _) => next.append(*drive, &vec![Object::Filemark; usize::from(*count)]),
            Op::Locate(drive, object) => next.heads[usize::from(*drive)] = Some(*object),
            Op::EndOfData(drive) => next.heads[usize::from(*drive)] = Some(next.reel(*drive).now.len()),
            Op::Erase(drive) => {
                let at = next.heads[usize::from(*drive)].unwrap();
                let reel = next.reel(*drive);
                reel.becomes(reel.now[..at].to_vec());
            }
            Op::Unload(drive) => next.heads[usize::from(*drive)] = None,
            Op::Load(drive) => next.heads[usize::from(*drive)] = Some(0),
            Op::Create(label) => {
                let free = (SLOT..).find(|slot| !next.places.contains_key(slot)).unwrap();
                next.places.insert(free, label.clone());
                next.reels.insert(label.clone(), Reel::blank());
            }
            Op::Delete(label) => {
                next.places.retain(|_, holds| holds != label);
                next.reels.remove(label);
            }
            Op::Protect(label, protected) => next.reels.get_mut(label).unwrap().protected = *protected,
            Op::EraseTape(label) => next.reels.get_mut(label).unwrap().becomes(Vec::new()),
        }
        next
    }

    /// Objects are written at the head. Blocks come one by one, filemarks of one command together.
    fn append(&mut self, drive: u16, objects: &[Object]) {
        if objects.is_empty() {
            return;
        }
        let at = self.heads[usize::from(drive)].unwrap();
        let reel = self.reel(drive);
        let kept = reel.now[..at].to_vec();
        if at < reel.now.len() {
            reel.passes(kept.clone());
        }
        reel.becomes([kept.as_slice(), objects].concat());
        self.heads[usize::from(drive)] = Some(at + objects.len());
    }

    /// The operation was answered.
    pub fn finish(&mut self, before: &Self, op: &Op) {
        let mut durable = Vec::new();
        match op {
            Op::Move(from, _) => durable.extend(before.places.get(from).cloned()),
            Op::Exchange(from, first, _) => {
                durable.extend([from, first].into_iter().filter_map(|address| before.places.get(address).cloned()));
            }
            Op::Filemarks(drive, _, false) | Op::Erase(drive) | Op::Unload(drive) => {
                durable.extend(before.in_drive(*drive).cloned());
            }
            Op::EraseTape(label) => durable.push(label.clone()),
            _ => {}
        }
        for label in durable {
            self.reels.get_mut(&label).unwrap().settle();
        }
    }
}
