//! The pace in simulated time.

use super::*;

const MIB: u64 = 1 << 20;
const SIZE: u64 = 1000 * MIB;
const SECOND: Duration = Duration::from_secs(1);

fn level(used: u64) -> Level {
    Level { used, left: 0 }
}

/// Asks once, with nothing before.
fn first(used: u64) -> (Admit, Option<Turn>) {
    let mut turn = None;
    (Pace::new(SIZE).ask(SECOND, level(used), &mut turn, MIB), turn)
}

#[test]
fn free_then_paced_then_stopped() {
    assert_eq!(Pace::asks_from(SIZE), 600 * MIB);
    assert_eq!(first(0), (Admit::Now, None));
    assert_eq!(first(800 * MIB - 1), (Admit::Now, None));
    // The first of all has nobody before it.
    assert_eq!(first(800 * MIB), (Admit::Now, None));
    assert_eq!(first(SIZE - 1), (Admit::Now, None));
    assert_eq!(first(SIZE), (Admit::Full, Some(Turn(0))));
    assert_eq!(first(u64::MAX), (Admit::Full, Some(Turn(0))));
}

#[test]
fn a_buffer_of_no_size_is_always_full() {
    let mut turn = None;
    assert_eq!(Pace::new(0).ask(SECOND, level(0), &mut turn, 1), Admit::Full);
    assert_eq!(Pace::asks_from(0), 0);
    // And one of the largest size overflows nowhere.
    turn = None;
    let mut pace = Pace::new(u64::MAX);
    assert_eq!(pace.ask(Duration::MAX, level(u64::MAX - 1), &mut turn, u64::MAX), Admit::Now);
    turn = None;
    assert!(matches!(pace.ask(Duration::MAX, level(u64::MAX - 1), &mut turn, u64::MAX), Admit::After(_)));
}

/// How long a second write waits for a first one of 1 MiB.
fn wait(used: u64, drained: u64) -> Duration {
    let mut pace = Pace::new(SIZE);
    assert_eq!(pace.ask(Duration::ZERO, level(700 * MIB), &mut None, MIB), Admit::Now);
    let level = Level { used, left: drained * 10 };
    assert_eq!(pace.ask(SECOND * 10, level, &mut None, MIB), Admit::Now);
    match pace.ask(SECOND * 10, level, &mut None, MIB) {
        Admit::After(wait) => wait,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_rate_falls_from_free_to_next_to_nothing() {
    // 10 MiB a second leave.
    let nanoseconds = [800, 801, 850, 900, 950, 980].map(|used| wait(used * MIB, 10 * MIB).as_nanos());
    assert_eq!(nanoseconds, [1, 502_513, 33_333_334, 100_000_000, 300_000_029, 900_000_344]);
    assert_eq!(wait(SIZE - 1, 10 * MIB), SECOND, "the floor");
    // Nothing leaves: the floor stands for what does.
    let nothing = [801, 900, 950, 999].map(|used| wait(used * MIB, 0).as_nanos());
    assert_eq!(nothing, [5_025_126, 1_000_000_000, 1_000_000_000, 1_000_000_000]);
}

#[test]
fn who_comes_first_goes_first_and_each_byte_has_its_time() {
    let mut pace = Pace::new(SIZE);
    let at = |seconds: u32| SECOND * seconds;
    let full = level(SIZE - 1);
    let mut turns = [None; 3];
    // The end of the paced part: 1 MiB a second.
    assert_eq!(pace.ask(at(1), full, &mut None, 4 * MIB), Admit::Now);
    let waits = [2, 3, 4].map(|size| {
        let turn = &mut turns[usize::try_from(size).unwrap() - 2];
        pace.ask(at(1), full, turn, size * MIB)
    });
    assert_eq!(waits, [4, 6, 9].map(|seconds| Admit::After(SECOND * seconds)));
    // Asking in between, and in another order, changes nothing.
    assert!(matches!(pace.ask(at(3), full, &mut turns[2], 4 * MIB), Admit::After(_)));
    assert!(matches!(pace.ask(at(3), full, &mut turns[1], 3 * MIB), Admit::After(_)));
    assert_eq!(pace.ask(at(5), full, &mut turns[0], 2 * MIB), Admit::Now);
    assert!(matches!(pace.ask(at(6), full, &mut turns[1], 3 * MIB), Admit::After(_)));
    assert_eq!(pace.ask(at(7), full, &mut turns[1], 3 * MIB), Admit::Now);
    assert!(matches!(pace.ask(at(9), full, &mut turns[2], 4 * MIB), Admit::After(_)));
    assert_eq!(pace.ask(at(10), full, &mut turns[2], 4 * MIB), Admit::Now);
    assert_eq!(turns, [None; 3]);
    // A long pause saves up nothing: after one write the next has to wait.
    assert_eq!(pace.ask(at(100), full, &mut None, MIB), Admit::Now);
    assert!(matches!(pace.ask(at(100), full, &mut None, MIB), Admit::After(_)));
}

#[test]
fn what_is_given_up_is_the_time_of_the_others() {
    let mut pace = Pace::new(SIZE);
    let (mut aborted, mut next) = (None, None);
    let full = level(SIZE - 1);
    assert_eq!(pace.ask(SECOND, full, &mut None, MIB), Admit::Now);
    assert!(matches!(pace.ask(SECOND, full, &mut aborted, 16 * MIB), Admit::After(_)));
    assert!(pace.ask(SECOND, full, &mut next, MIB) == Admit::After(SECOND * 17));
    pace.give_up(aborted.unwrap(), 16 * MIB);
    assert!(pace.ask(SECOND, full, &mut next, MIB) == Admit::After(SECOND));
    assert_eq!(pace.ask(SECOND * 2, full, &mut next, MIB), Admit::Now);
    // What had its time already gives nothing back.
    pace.give_up(aborted.unwrap(), 16 * MIB);
    assert!(matches!(pace.ask(SECOND * 2, full, &mut None, MIB), Admit::After(_)));
}

#[test]
fn nobody_gains_a_place_while_it_is_full_and_room_lets_everyone_go() {
    let mut pace = Pace::new(SIZE);
    let mut turns = [None; 4];
    for _ in 0..100 {
        for turn in &mut turns {
            assert_eq!(pace.ask(SECOND, level(SIZE), turn, MIB), Admit::Full);
        }
    }
    // An hour later there is a little room: one of them goes, and the next after its time.
    let hour = SECOND * 3600;
    assert_eq!(pace.ask(hour, level(SIZE), &mut turns[0], MIB), Admit::Full);
    assert_eq!(pace.ask(hour, level(SIZE - 1), &mut turns[0], MIB), Admit::Now);
    assert!(matches!(pace.ask(hour, level(SIZE - 1), &mut turns[1], MIB), Admit::After(wait) if wait <= SECOND));
    assert_eq!(pace.ask(hour, level(790 * MIB), &mut turns[3], MIB), Admit::Now);
    assert_eq!(pace.ask(hour, level(SIZE - 1), &mut turns[2], MIB), Admit::Now, "its time came with the room");
}

/// Ten drives that write as fast as they may into a buffer which drains at a constant rate, segment by segment.
struct Day {
    pace: Pace,
    now: Duration,
    level: Level,
    written: [u64; 10],
    /// When each drive asks next, and the place in line of what it asks for.
    drives: [(Duration, Option<Turn>); 10],
    most: u64,
}

impl Day {
    const BLOCKS: [u64; 10] = [64, 64, 64, 64, 64, 256, 256, 1024, 1024, 16 * 1024];
    const SEGMENT: u64 = 64 * MIB;

    fn new(used: u64) -> Self {
        let drives = [(Duration::ZERO, None); 10];
        let level = Level { used, left: 0 };
        Self { pace: Pace::new(20 * SIZE), now: Duration::ZERO, level, written: [0; 10], drives, most: 0 }
    }

    /// `drain` bytes a second leave for so many seconds.
    fn run(&mut self, drain: u64, seconds: u64) {
        let end = self.now + SECOND * u32::try_from(seconds).unwrap();
        let (begin, left) = (self.now, self.level.left);
        while self.now < end {
            let drained = u128::from(drain) * (self.now - begin).as_millis() / 1000;
            let whole = u64::try_from(drained).unwrap() / Self::SEGMENT * Self::SEGMENT;
            let leaves = (left + whole).saturating_sub(self.level.left).min(self.level.used);
            self.level.left += leaves;
            self.level.used -= leaves;
            for ((next, turn), (written, kib)) in self.drives.iter_mut().zip(self.written.iter_mut().zip(Self::BLOCKS))
            {
                if self.now < *next {
                    continue;
                }
                let block = kib * 1024;
                match self.pace.ask(self.now, self.level, turn, block) {
                    Admit::Now => {
                        self.level.used += block;
                        *written += block;
                        // What a drive takes for a block by itself: 200 MiB a second.
                        *next = self.now + Duration::from_nanos(block * 1_000_000_000 / (200 * MIB));
                    }
                    Admit::After(wait) => *next = self.now + wait.min(Duration::from_millis(100)),
                    Admit::Full => *next = self.now + Duration::from_millis(100),
                }
            }
            self.most = self.most.max(self.level.used);
            self.now += Duration::from_millis(1);
        }
    }
}

#[test]
fn a_slow_tier_makes_writes_slow_and_never_full() {
    let mut day = Day::new(19 * SIZE);
    day.run(100 * MIB, 120);
    let (before, left) = (day.written, day.level.left);
    day.run(100 * MIB, 120);
    let written: Vec<u64> = day.written.iter().zip(before).map(|(after, before)| after - before).collect();
    let (total, left) = (written.iter().sum::<u64>(), day.level.left - left);
    assert!(total.abs_diff(left) < left / 10, "written {} MiB, left {} MiB", total / MIB, left / MIB);
    let middle = 18 * SIZE;
    assert!(day.level.used.abs_diff(middle) < SIZE, "it rests at {} MiB", day.level.used / MIB);
    assert!(day.most < 19 * SIZE + 100 * MIB, "{} MiB", day.most / MIB);
    // Equal drives get equal parts.
    let (least, most) = (written[..5].iter().min().unwrap(), written[..5].iter().max().unwrap());
    assert!(*least > 0 && most - least <= most / 10, "{written:?}");
}

#[test]
fn a_tier_that_stands_still_fills_it_slowly_and_not_beyond_a_block_for_each_drive() {
    let mut day = Day::new(15 * SIZE);
    day.run(0, 600);
    let after_ten_minutes = day.level.used;
    assert!((17 * SIZE..18 * SIZE).contains(&after_ten_minutes), "{} MiB", after_ten_minutes / MIB);
    day.level.used = 20 * SIZE - MIB;
    day.run(0, 60);
    assert!((20 * SIZE..20 * SIZE + 20 * MIB).contains(&day.level.used), "{} MiB", day.level.used / MIB);
    let stopped = day.written;
    day.run(0, 60);
    assert_eq!(day.written, stopped);
    // It is back, faster than they write.
    day.run(3000 * MIB, 60);
    assert!(day.level.used < 16 * SIZE, "{} MiB", day.level.used / MIB);
    assert!(day.written.iter().zip(stopped).all(|(after, before)| *after > before));
}
