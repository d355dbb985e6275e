//! `fuzz`: runs one target, or all, on generated inputs for as long as it is told to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use fuzz::{Failure, TARGETS, Target, Until, corpus_of, run, target};

const USAGE: &str = "usage: fuzz TARGET|all [--seed N] [--runs N | --seconds N]\n       fuzz TARGET FILE";

/// What the command line says.
struct Order {
    targets: Vec<&'static Target>,
    seed: u64,
    until: Until,
    /// An input to run once, instead of generating some.
    file: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(order) = order(&arguments) else {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("{USAGE}\ntargets: {}", names.join(", "));
        return ExitCode::from(2);
    };
    let good = match (&order.file, order.targets.as_slice()) {
        (Some(file), [target]) => replay(target, Path::new(file)),
        (Some(_), _) => false,
        // All of them, also after one that fails.
        (None, targets) => targets.iter().filter(|target| !generate(target, &order)).count() == 0,
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn order(arguments: &[String]) -> Option<Order> {
    let (name, rest) = arguments.split_first()?;
    let targets = if name == "all" { TARGETS.iter().collect() } else { vec![target(name)?] };
    let mut order = Order { targets, seed: 1, until: Until::Elapsed(Duration::from_secs(60)), file: None };
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seed" => order.seed = rest.next()?.parse().ok()?,
            "--runs" => order.until = Until::Runs(rest.next()?.parse().ok()?),
            "--seconds" => order.until = Until::Elapsed(Duration::from_secs(rest.next()?.parse().ok()?)),
            file if !file.starts_with('-') => order.file = Some(file.to_owned()),
            _ => return None,
        }
    }
    Some(order)
}

fn replay(target: &Target, file: &Path) -> bool {
    match fs::read(file) {
        Ok(input) => {
            (target.run)(&input);
            println!("{}: {} bytes, no invariant broken", target.name, input.len());
            true
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            false
        }
    }
}

fn generate(target: &Target, order: &Order) -> bool {
    let corpus = match corpus_of(target.name) {
        Ok(corpus) => corpus.into_iter().map(|(_, input)| input).collect::<Vec<_>>(),
        Err(error) => {
            eprintln!("corpus of {}: {error}", target.name);
            return false;
        }
    };
    match run(target, &corpus, order.seed, order.until) {
        Ok(report) => {
            let rate = report.runs.checked_div(report.elapsed.as_secs().max(1)).unwrap_or(0);
            println!(
                "{}: {} inputs from seed {} in {} s ({rate} a second), no invariant broken",
                target.name,
                report.runs,
                order.seed,
                report.elapsed.as_secs()
            );
            true
        }
        Err(failure) => {
            report(target, order.seed, &failure);
            false
        }
    }
}

fn report(target: &Target, seed: u64, failure: &Failure) {
    let file = format!("fuzz-{}-{seed}-{}.input", target.name, failure.runs);
    let written = fs::write(&file, &failure.input);
    eprintln!("{}: an invariant is broken after {} good inputs from seed {seed}", target.name, failure.runs);
    eprintln!("input: {:02x?}", failure.input);
    match written {
        Ok(()) => eprintln!("replay: cargo run -p fuzz --release -- {} {file}", target.name),
        Err(error) => eprintln!("{file}: {error}"),
    }
}
