//! `crash-load`: the load of the crash tests, and what checks the library after a crash. See `options`.
//!
//! `cargo xtask soak` runs it against a daemon that it kills, and in a guest whose power it cuts.

// A program for another program to read: its output is the point of it.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod admin;
mod block;
mod book;
mod history;
mod host;
mod journal;
mod ledger;
mod load;
mod options;
mod random;
mod robot;
mod station;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use serde_json::json;

use admin::Admin;
use book::Book;
use host::Host;
use ledger::{Ledger, Tape};
use options::Options;
use random::Random;
use robot::Robot;
use station::Station;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", json!({ "failed": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let start = Instant::now();
    let host = Host::log_in(options.portal).await?;
    let admin = Admin { capstan: options.capstan.clone(), socket: options.socket.clone() };
    let book = Arc::new(book(options, &host, &admin).await?);
    let mut verified = verify::places(&book, &host.places, &host.changer, &admin).await?;
    let cycle = book.look(|ledger| ledger.cycle);
    let robot = Arc::new(Robot::new(
        Arc::clone(&book),
        host.places.clone(),
        admin,
        host.changer.clone(),
        Random::of(options.seed, cycle, 100),
    ));
    let stations = stations(options, &host, &book, &robot, cycle);
    let stations = verify::contents(stations, &book, &mut verified).await?;
    book.begin_cycle()?;
    println!("{}", json!({ "verified": verified, "seconds": start.elapsed().as_secs_f64() }));
    if options.verify_only {
        return host.log_out().await;
    }
    println!("{}", json!({ "loading": cycle }));
    load::run(stations, robot, Random::of(options.seed, cycle, 101)).await?;
    println!("{}", json!({ "cut": book.answered() }));
    Ok(())
}

/// The journal; the first one begins with the cartridges that the library has.
async fn book(options: &Options, host: &Host, admin: &Admin) -> Result<Book> {
    let mut first = Vec::new();
    if !options.journal.exists() {
        first = verify::first_sight(&admin.tapes().await?, &host.places)?;
    }
    let begin = || {
        let mut ledger = Ledger::new(options.mode, options.seed, 0);
        let tapes = first.into_iter().map(|(name, place, protected)| (name, Tape::known(place, protected, Vec::new())));
        ledger.tapes = tapes.collect();
        ledger
    };
    let (book, _) = Book::open(&options.journal, begin)?;
    let (mode, seed) = book.look(|ledger| (ledger.mode, ledger.seed));
    anyhow::ensure!(
        (mode, seed) == (options.mode, options.seed),
        "the journal is of a run with mode {mode:?} and seed {seed}"
    );
    Ok(book)
}

fn stations(options: &Options, host: &Host, book: &Arc<Book>, robot: &Arc<Robot>, cycle: u64) -> Vec<Station> {
    let drives = host.drives.iter().zip(&host.places.drives).zip(0..);
    let station = |((drive, address), purpose): ((&capstan_initiator::Tape, &u16), u64)| Station {
        address: *address,
        drive: drive.clone(),
        book: Arc::clone(book),
        robot: Arc::clone(robot),
        random: Random::of(options.seed, cycle, purpose),
        seed: options.seed,
        budget: options.budget,
        at: 0,
    };
    drives.map(station).collect()
}
