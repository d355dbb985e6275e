//! Every input of the corpus, and a short run from a fixed seed, for every target.
#![allow(clippy::unwrap_used, clippy::panic)]

use fuzz::{Until, corpus_of, run, target};

/// The seed of the short runs: a fixed one, so that a failure is one for everybody.
const SEED: u64 = 2026;

fn replay(name: &str) {
    let target = target(name).unwrap();
    let corpus = corpus_of(name).unwrap();
    assert!(!corpus.is_empty(), "corpus/{name} is empty");
    for (file, input) in &corpus {
        // The name goes to the captured output and is shown where the input breaks something.
        println!("corpus/{name}/{file}");
        (target.run)(input);
    }
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    if let Err(failure) = run(target, &inputs, SEED, Until::Runs(u64::from(target.short))) {
        panic!("{name}: input {} from seed {SEED}: {:02x?}", failure.runs, failure.input);
    }
}

#[test]
fn pdu() {
    replay("pdu");
}

#[test]
fn negotiation() {
    replay("negotiation");
}

#[test]
fn login() {
    replay("login");
}

#[test]
fn session() {
    replay("session");
}

#[test]
fn drive() {
    replay("drive");
}

#[test]
fn changer() {
    replay("changer");
}

#[test]
fn segment() {
    replay("segment");
}

#[test]
fn meta() {
    replay("meta");
}

#[test]
fn object() {
    replay("object");
}

#[test]
fn manifest() {
    replay("manifest");
}

#[test]
fn catalog() {
    replay("catalog");
}

#[test]
fn tap() {
    replay("tap");
}

#[test]
fn every_target_is_replayed() {
    let names: Vec<&str> = fuzz::TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(
        names,
        [
            "pdu",
            "negotiation",
            "login",
            "session",
            "drive",
            "changer",
            "segment",
            "meta",
            "object",
            "manifest",
            "catalog",
            "tap"
        ]
    );
}
