//! Random SSC commands to a drive with a real cartridge, and to a vector of objects: every answer must agree, in
//! status, sense data, data and position, through unloads and deaths of the process.
//!
//! The drive is the whole path but transport and threads: task set, device server, cartridge, segments on disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    unreachable_pub
)]

mod expected;
mod machine;
mod random;

use std::collections::BTreeSet;

use capstan_cartridge::model::Tape;

use expected::{Answer, Expected, Kind};
use machine::Machine;
use random::Random;

/// One kind of tape and of use.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    seed: u64,
    commands: u32,
    capacity: u64,
    segment_size: u64,
    longest: u32,
}

#[test]
fn small_blocks_after_early_warning() {
    run(Scenario { seed: 1, commands: 30_000, capacity: 300_000, segment_size: 8 << 10, longest: 2000 });
}

#[test]
fn tiny_blocks_on_a_tiny_tape() {
    run(Scenario { seed: 2, commands: 30_000, capacity: 20_000, segment_size: 6000, longest: 64 });
}

#[test]
fn early_warning_in_the_middle() {
    let capacity = (32 << 20) + 60_000;
    run(Scenario { seed: 3, commands: 25_000, capacity, segment_size: 256 << 10, longest: 20_000 });
}

#[test]
fn large_blocks() {
    run(Scenario { seed: 4, commands: 15_000, capacity: 33 << 20, segment_size: 1 << 20, longest: 300 << 10 });
}

/// What is sent next.
#[derive(Clone, Copy, Debug)]
enum Command {
    WriteVariable { length: u32 },
    WriteFixed { count: u32 },
    WriteFilemarks { count: u32, immediate: bool },
    ReadVariable { length: u32, sili: bool },
    ReadFixed { count: u32, sili: bool },
    Space { code: u8, count: i64, long: bool },
    LocateObject { object: u64, long: bool },
    LocateFile { file: u64 },
    LocateEndOfData,
    Rewind,
    Erase,
    SetBlockLength(u32),
    TestUnitReady,
}

fn run(scenario: Scenario) {
    let mut random = Random::new(scenario.seed);
    let mut machine = Machine::new(scenario.capacity, scenario.segment_size);
    let mut expected = Expected::new(Tape::new(scenario.capacity));
    let pool = Random::new(77).fill(1 << 20);
    let mut seen = BTreeSet::new();
    // Commands for which only writes come, from end of data on: else a tape is never full.
    let mut filling = 0_u32;
    for number in 0..scenario.commands {
        match random.below(600) {
            0 => {
                machine.kill();
                expected.reopened(true);
            }
            1 => {
                machine.unload_and_load();
                expected.reopened(false);
            }
            _ => {
                let command = match filling.checked_sub(1) {
                    Some(left) => {
                        filling = left;
                        fill(&mut random, scenario)
                    }
                    None if random.below(1000) == 0 => {
                        filling = 600;
                        Command::LocateEndOfData
                    }
                    None => next(&mut random, scenario, &expected),
                };
                let data = match expected.bytes_out(command) {
                    0 => &[][..],
                    length => {
                        let start = random.below((pool.len() - length) as u64) as usize;
                        &pool[start..start + length]
                    }
                };
                let answer = machine.run(&cdb(command), &expected.parameters(command).unwrap_or(data.to_vec()));
                let wanted = expected.answer(command, data);
                assert_eq!(answer, wanted, "{scenario:?}, command {number}: {command:?}");
                seen.insert(answer.kind());
            }
        }
        let answer = machine.run(&[0x34, 6, 0, 0, 0, 0, 0, 0, 0, 0], &[]);
        assert_eq!(answer, Answer::data(expected.long_position()), "{scenario:?}, position after {number}");
    }
    for kind in KINDS {
        assert!(seen.contains(&kind), "{scenario:?} never came to {kind:02x?}");
    }
    let overflow = Some((0x0d, 0, 2, false));
    assert!(seen.contains(&overflow) || scenario.capacity > 1 << 20, "{scenario:?} was never full");
    compare_all(&mut machine, &mut expected, scenario);
}

/// What every scenario comes to, or it proves little: key, code, qualifier, incorrect length.
const KINDS: [Kind; 7] = [
    None,
    Some((0, 0, 1, false)),
    Some((0, 0, 2, false)),
    Some((0, 0, 4, false)),
    Some((0, 0, 0, true)),
    Some((8, 0, 5, false)),
    Some((5, 0x24, 0, false)),
];

/// From the beginning to the end, once more.
fn compare_all(machine: &mut Machine, expected: &mut Expected, scenario: Scenario) {
    let read = Command::ReadVariable { length: scenario.longest.max(4096) * 40, sili: true };
    for command in [Command::SetBlockLength(0), Command::Rewind] {
        let parameters = expected.parameters(command).unwrap_or_default();
        assert_eq!(machine.run(&cdb(command), &parameters), expected.answer(command, &[]));
    }
    loop {
        let (answer, wanted) = (machine.run(&cdb(read), &[]), expected.answer(read, &[]));
        assert_eq!(answer, wanted, "{scenario:?}, at the end");
        if answer.is_blank_check() {
            return;
        }
    }
}

fn fill(random: &mut Random, scenario: Scenario) -> Command {
    let length = scenario.longest / 2 + random.below(u64::from(scenario.longest / 2)) as u32;
    match random.below(20) {
        0 => Command::WriteFilemarks { count: random.below(4) as u32, immediate: true },
        1 => Command::WriteFixed { count: random.below(6) as u32 },
        _ => Command::WriteVariable { length },
    }
}

fn next(random: &mut Random, scenario: Scenario, expected: &Expected) -> Command {
    let length = random.length(scenario.longest);
    let objects = expected.objects();
    let near = |random: &mut Random| random.below(objects + 3);
    match random.below(100) {
        0..=34 => Command::WriteVariable { length },
        35..=39 => Command::WriteFixed { count: random.below(6) as u32 },
        40..=47 => Command::WriteFilemarks { count: random.below(4) as u32, immediate: random.below(4) > 0 },
        48..=62 => Command::ReadVariable { length, sili: random.below(2) == 0 },
        63..=68 => Command::ReadFixed { count: random.below(6) as u32, sili: random.below(12) == 0 },
        69..=79 => {
            let code = [0, 0, 0, 1, 1, 3][random.below(6) as usize];
            let count = random.below(13) as i64 - 6;
            Command::Space { code, count, long: random.below(2) == 0 }
        }
        80..=85 => Command::LocateObject { object: near(random), long: random.below(2) == 0 },
        86 | 87 => Command::LocateFile { file: random.below(12) },
        88..=91 => Command::LocateEndOfData,
        92 => Command::Rewind,
        93 if random.below(6) == 0 => Command::Erase,
        94..=96 => Command::SetBlockLength([0, 16, 100, 512][random.below(4) as usize].min(scenario.longest)),
        _ => Command::TestUnitReady,
    }
}

fn cdb(command: Command) -> Vec<u8> {
    let six = |opcode: u8, flags: u8, number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        vec![opcode, flags, a, b, c, 0]
    };
    let sixteen = |opcode: u8, flags: u8, number: u64| {
        let mut cdb = vec![opcode, flags, 0, 0];
        cdb.extend(number.to_be_bytes());
        cdb.extend([0; 4]);
        cdb
    };
    match command {
        Command::WriteVariable { length } => six(0x0a, 0, length),
        Command::WriteFixed { count } => six(0x0a, 1, count),
        Command::WriteFilemarks { count, immediate } => six(0x10, u8::from(immediate), count),
        Command::ReadVariable { length, sili } => six(0x08, u8::from(sili) << 1, length),
        Command::ReadFixed { count, sili } => six(0x08, u8::from(sili) << 1 | 1, count),
        Command::Space { code, count, long: false } => six(0x11, code, count as u32),
        Command::Space { code, count, long: true } => sixteen(0x91, code, count as u64),
        Command::LocateObject { object, long: false } => {
            let [a, b, c, d] = (object as u32).to_be_bytes();
            vec![0x2b, 0, 0, a, b, c, d, 0, 0, 0]
        }
        Command::LocateObject { object, long: true } => sixteen(0x92, 0, object),
        Command::LocateFile { file } => sixteen(0x92, 1 << 3, file),
        Command::LocateEndOfData => sixteen(0x92, 3 << 3, 0),
        Command::Rewind => six(0x01, 0, 0),
        Command::Erase => six(0x19, 0, 0),
        Command::SetBlockLength(_) => vec![0x15, 0x10, 0, 0, 12, 0],
        Command::TestUnitReady => vec![0; 6],
    }
}
