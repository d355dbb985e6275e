//! What is done: one script by hand, and as many as there are seeds.

use std::sync::LazyLock;

use crate::world::{DRIVE, DRIVES, SLOT, World};

pub const SLOTS: u16 = 8;
pub const IO: u16 = 10;

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    Move(u16, u16),
    Exchange(u16, u16, u16),
    /// A block of a number and a length.
    Write(u16, u64, usize),
    /// So many; with IMMED or not.
    Filemarks(u16, u8, bool),
    Locate(u16, usize),
    EndOfData(u16),
    Erase(u16),
    Unload(u16),
    Load(u16),
    Create(String),
    Delete(String),
    Protect(String, bool),
    EraseTape(String),
}

/// Each kind of event, in an order that makes sense.
pub static SCRIPT: LazyLock<Vec<Op>> = LazyLock::new(|| {
    let text = str::to_owned;
    vec![
        Op::Move(SLOT, DRIVE),
        Op::Write(0, 1, 700),
        Op::Write(0, 2, 5000),
        Op::Filemarks(0, 1, false),
        Op::Move(SLOT + 1, DRIVE + 1),
        Op::Write(1, 3, 4000),
        Op::Write(1, 4, 4000),
        Op::Write(1, 5, 4000),
        Op::Write(0, 6, 900),
        Op::Filemarks(0, 2, true),
        Op::Exchange(DRIVE, DRIVE + 1, DRIVE),
        Op::Create(text("NEW")),
        Op::Locate(1, 1),
        Op::Write(1, 7, 6000),
        Op::Filemarks(1, 0, false),
        Op::Locate(1, 0),
        Op::Write(1, 8, 100),
        Op::Locate(0, 2),
        Op::Erase(0),
        Op::Write(0, 9, 3000),
        Op::Protect(text("CAP003L8"), true),
        Op::Unload(0),
        Op::Load(0),
        Op::EndOfData(0),
        Op::Write(0, 10, 20_000),
        Op::Protect(text("CAP002L8"), true),
        Op::Exchange(SLOT + 2, DRIVE, SLOT + 2),
        Op::Move(DRIVE + 1, SLOT + 6),
        Op::Delete(text("NEW")),
        Op::Move(SLOT + 6, IO),
        Op::Protect(text("CAP003L8"), false),
        Op::Create(text("NEXT")),
        Op::Write(0, 11, 1),
        Op::Unload(0),
        Op::Move(DRIVE, SLOT + 5),
        Op::EraseTape(text("CAP003L8")),
        Op::Move(IO, DRIVE),
        Op::EndOfData(0),
        Op::Write(0, 12, 2000),
        Op::Filemarks(0, 1, false),
        Op::Locate(0, 0),
        Op::Filemarks(0, 1, true),
        Op::Write(0, 13, 8000),
    ]
});

/// xorshift64*: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())].clone())
    }
}

/// Random steps, each of which can be done.
pub fn random(seed: u64, steps: usize) -> Vec<Op> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut world = World::first();
    let mut script = vec![Op::Move(SLOT, DRIVE), Op::Move(SLOT + 1, DRIVE + 1)];
    for op in &script {
        world = world.begin(op);
    }
    let mut number = 100;
    while script.len() < steps {
        number += 1;
        let Some(op) = step(&mut random, &world, number) else { continue };
        world = world.begin(&op);
        script.push(op);
    }
    script
}

fn step(random: &mut Random, world: &World, number: u64) -> Option<Op> {
    let drive = random.below(usize::from(DRIVES)) as u16;
    let kind = random.below(32);
    match kind {
        0..=21 => match world.threaded(drive) {
            Some((reel, head)) if !reel.protected => Some(tape_step(random, kind, drive, reel.now.len(), head, number)),
            Some((reel, _)) => Some(Op::Locate(drive, random.below(reel.now.len() + 1))),
            None if world.in_drive(drive).is_some() => Some(Op::Load(drive)),
            None => move_into(random, world, DRIVE + drive),
        },
        22 | 23 => world.threaded(drive).map(|_| Op::Unload(drive)),
        24 | 25 => {
            let to = random.one(&free(world))?;
            let from = random.one(&world.places.keys().copied().collect::<Vec<u16>>())?;
            Some(Op::Move(from, to))
        }
        26 => {
            let held: Vec<u16> = world.places.keys().copied().collect();
            let (from, first) = (random.one(&held)?, random.one(&held)?);
            (from != first).then_some(Op::Exchange(from, first, from))
        }
        27 => {
            let slots = (SLOT..SLOT + SLOTS).filter(|slot| !world.places.contains_key(slot)).count();
            (slots > 2).then(|| Op::Create(format!("NEW{number}")))
        }
        28 => {
            let label = random.one(&idle(world))?;
            (world.reels.len() > 3).then_some(Op::Delete(label))
        }
        29 => random.one(&idle(world)).map(Op::EraseTape),
        _ => {
            let label = random.one(&world.reels.keys().cloned().collect::<Vec<String>>())?;
            let protected = !world.reels[&label].protected;
            Some(Op::Protect(label, protected))
        }
    }
}

fn tape_step(random: &mut Random, kind: usize, drive: u16, objects: usize, head: usize, number: u64) -> Op {
    match kind {
        0..=10 => {
            let longest = if random.below(6) == 0 { 12_000 } else { 2500 };
            Op::Write(drive, number, 1 + random.below(longest))
        }
        11..=15 => Op::Filemarks(drive, random.below(4) as u8, random.below(3) == 0),
        16 | 17 => Op::Locate(drive, random.below(objects + 1)),
        18 | 19 if head < objects => Op::EndOfData(drive),
        20 => Op::Erase(drive),
        _ => Op::Write(drive, number, 8 + random.below(500)),
    }
}

fn free(world: &World) -> Vec<u16> {
    let all = (SLOT..SLOT + SLOTS).chain([IO, IO + 1]).chain(DRIVE..DRIVE + DRIVES);
    all.filter(|address| !world.places.contains_key(address)).collect()
}

fn move_into(random: &mut Random, world: &World, to: u16) -> Option<Op> {
    let from: Vec<u16> = world.places.keys().copied().filter(|address| *address >= SLOT || *address < DRIVE).collect();
    random.one(&from).map(|from| Op::Move(from, to))
}

/// Labels of what no drive holds and nothing protects.
fn idle(world: &World) -> Vec<String> {
    let outside = world.places.iter().filter(|(address, _)| !(DRIVE..DRIVE + DRIVES).contains(*address));
    outside.map(|(_, label)| label.clone()).filter(|label| !world.reels[label].protected).collect()
}
