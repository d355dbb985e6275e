//! `docs/operations/versions.md`: its commands, typed in their order at a daemon that ships to a directory, show what it
//! shows. `<!-- test: ... -->` says what happens between them: `write`, `overwrite`, `holds`, `shipped`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;

use bytes::Bytes;
use capstan_initiator::{BlockRead, Tape};
use support::transcript::{assert_alike, steps};
use support::{Library, until};

fn block(number: u8) -> Bytes {
    Bytes::from(vec![number; 1000])
}

/// A cartridge is put into a drive, used, and put back.
async fn with_tape(library: &Library, barcode: &str, work: impl AsyncFnOnce(&Tape)) {
    library.text(&["library", "load", barcode, "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    tape.rewind().await.unwrap();
    work(&tape).await;
    drop(tape);
    library.text(&["library", "unload", "0"]);
}

async fn write(library: &Library, barcode: &str, blocks: u8, first: u8) {
    with_tape(library, barcode, async |tape| {
        for number in 0..blocks {
            tape.write_block(block(first + number)).await.unwrap();
        }
        tape.write_filemarks(1, false).await.unwrap();
    })
    .await;
}

async fn happen(library: &Library, what: &[&str]) {
    let &[what, barcode, number] = what else { panic!("{what:?}") };
    let number: u8 = number.parse().unwrap();
    match what {
        "write" => write(library, barcode, number, 0).await,
        "overwrite" => write(library, barcode, number, 100).await,
        "holds" => {
            with_tape(library, barcode, async |tape| {
                for expected in 0..number {
                    assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::Block(block(expected)));
                }
                assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::Filemark);
                assert_eq!(tape.read_block(1 << 20).await.unwrap(), BlockRead::EndOfData);
            })
            .await;
        }
        "shipped" => {
            let tape = || library.json(&["tape", "show", barcode]);
            until(library, "shipped", || tape()["tier_to"] == number && tape()["unshipped_bytes"] == 0);
        }
        _ => panic!("{what}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_shows_is_what_comes() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations/versions.md")).unwrap();
    let library = Library::start();
    let mut typed = 0;
    for (number, part) in page.split("<!-- test: ").enumerate() {
        let (what, text) = part.split_once(" -->").unwrap_or(("", part));
        if number > 0 {
            happen(&library, &what.split(' ').collect::<Vec<_>>()).await;
        }
        for step in steps(text) {
            let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
            let output = library.command(&words);
            let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
            assert_alike(&words, &step.expected, &shown);
            typed += 1;
        }
    }
    assert_eq!(typed, 7);
    let kinds: Vec<String> = library
        .json(&["events"])
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["rolled_back", "version_forgotten", "cloned"] {
        assert_eq!(kinds.iter().filter(|it| *it == kind).count(), 1, "{kind}: {kinds:?}");
    }
}
