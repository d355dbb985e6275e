//! The load: what each drive does until the connection breaks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::host::is_cut;
use crate::random::Random;
use crate::robot::Robot;
use crate::station::{Station, length_of};

/// Runs all drives and the robot; returns when the connections break, with an error if anything else ends it.
pub(crate) async fn run(stations: Vec<Station>, robot: Arc<Robot>, random: Random) -> Result<()> {
    let mut tasks: JoinSet<Result<Infallible>> = JoinSet::new();
    for station in stations {
        tasks.spawn(work(station));
    }
    tasks.spawn(tinker(robot, random));
    while let Some(ended) = tasks.join_next().await {
        let Err(error) = ended?;
        if !is_cut(&error) {
            return Err(error);
        }
    }
    Ok(())
}

async fn tinker(robot: Arc<Robot>, mut random: Random) -> Result<Infallible> {
    loop {
        robot.tinker().await?;
        tokio::time::sleep(Duration::from_millis(random.between(10, 120))).await;
    }
}

async fn work(mut station: Station) -> Result<Infallible> {
    loop {
        let Some(tape) = station.tape() else {
            if !station.fetch(None).await? {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            continue;
        };
        if station.robot.book.look(|ledger| ledger.tapes.get(&tape).is_some_and(|tape| tape.protected.known)) {
            station.put_away(&tape).await?;
            continue;
        }
        act(&mut station, &tape).await?;
    }
}

async fn act(station: &mut Station, tape: &str) -> Result<()> {
    let length = station.length(tape)?;
    if station.at < length {
        // Behind a load or a fresh cartridge: the host looks for the end, or begins again.
        return if station.random.chance(85) {
            read_some(station, tape, length).await
        } else {
            burst(station, tape).await
        };
    }
    if bytes_on(station, tape) > budget_of(station, tape) {
        return overwrite(station, tape, length / 2).await;
    }
    match station.random.below(100) {
        0..=57 => burst(station, tape).await,
        58..=71 => {
            let count = station.random.below(3);
            station.write_filemarks(tape, u32::try_from(count)?, false).await
        }
        72..=76 => {
            let count = station.random.between(1, 2);
            station.write_filemarks(tape, u32::try_from(count)?, true).await
        }
        77..=86 => read_some(station, tape, length).await,
        87..=93 => overwrite(station, tape, length).await,
        94 => {
            go_to(station, length).await?;
            station.erase(tape).await
        }
        95 => {
            station.unload(tape).await?;
            station.load(tape).await
        }
        _ => station.put_away(tape).await,
    }
}

/// Goes somewhere, and writes there.
async fn overwrite(station: &mut Station, tape: &str, before: u64) -> Result<()> {
    go_to(station, before).await?;
    if station.random.chance(20) {
        let immediate = station.random.chance(30);
        station.write_filemarks(tape, 1, immediate).await?;
    }
    burst(station, tape).await
}

async fn go_to(station: &mut Station, before: u64) -> Result<()> {
    if station.random.chance(15) {
        station.drive.rewind().await?;
        station.at = 0;
    } else {
        let to = station.random.between(0, before);
        station.drive.locate(to).await?;
        station.at = to;
    }
    Ok(())
}

async fn read_some(station: &mut Station, tape: &str, length: u64) -> Result<()> {
    let from = station.random.between(0, length);
    let count = station.random.between(1, 12);
    station.read_some(tape, from, usize::try_from(count)?).await
}

/// Some blocks of about the same size.
async fn burst(station: &mut Station, tape: &str) -> Result<()> {
    let random = &mut station.random;
    if random.chance(8) {
        let (count, length) = (random.between(2, 64), 1 << random.between(9, 15));
        return station.write_fixed(tape, u32::try_from(count)?, length).await;
    }
    let (low, high, most) = match random.below(100) {
        0..=14 => (1, 512, 40),
        15..=39 => (512, 16 << 10, 40),
        40..=64 => (64 << 10, 64 << 10, 24),
        65..=89 => (16 << 10, 256 << 10, 12),
        90..=97 => (256 << 10, 1 << 20, 4),
        _ => (2 << 20, 8 << 20, 1),
    };
    let depth = random.pick(&[1, 1, 2, 4, 8]).copied().unwrap_or(1);
    let count = random.between(1, most);
    let lengths: Result<Vec<u32>, _> = (0..count).map(|_| u32::try_from(random.between(low, high))).collect();
    station.write_blocks(tape, &lengths?, depth).await
}

fn bytes_on(station: &Station, tape: &str) -> u64 {
    station.book.look(|ledger| ledger.objects(tape).iter().map(|object| u64::from(length_of(*object))).sum())
}

/// One cartridge in eight holds six times as much: several segments.
fn budget_of(station: &Station, tape: &str) -> u64 {
    let mut random = Random::of(station.seed, 0, u64::from(crc32c::crc32c(tape.as_bytes())));
    if random.chance(12) {
        station.budget.saturating_mul(6)
    } else {
        random.between(station.budget / 4, station.budget)
    }
}
