//! `docs/operations/import-export.md`: its commands, typed in their order, show what it shows. Numbers and widths of columns
//! differ each time; all else is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;

use bytes::Bytes;
use support::Library;
use support::transcript::steps;

async fn write(library: &Library, barcode: &str) {
    library.text(&["library", "load", barcode, "0"]);
    let tape = library.drive(0).await;
    tape.wait_ready().await.unwrap();
    for number in 0..4 {
        tape.write_block(Bytes::from(vec![number; 1000])).await.unwrap();
    }
    tape.write_filemarks(1, false).await.unwrap();
    drop(tape);
    library.text(&["library", "unload", "0"]);
}

/// Lines without what differs: the age of a job, identities, numbers of changes, and widths.
fn same(text: &str) -> Vec<String> {
    let is_id = |word: &str| word.trim_end_matches(',').len() == 36 && word.contains('-');
    let words = |line: &str| {
        let mut words: Vec<&str> =
            line.split_whitespace().map(|word| if is_id(word) { "(id)" } else { word }).collect();
        if words.len() > 1 && words[words.len() - 2] == "change" {
            words.pop();
        }
        words.join(" ")
    };
    text.trim_end().lines().map(words).map(|line| line.replace("100 % 1 s", "100 % 0 s")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_shows_is_what_comes() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations/import-export.md")).unwrap();
    let library = Library::start_unshipped();
    let parent = library.state().parent().unwrap().display().to_string();
    write(&library, "CAP001L8").await;
    let mut typed = 0;
    for step in steps(&page) {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        let output = library.command(&words);
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let shown = shown.replace(&parent, "capstan-data/..");
        assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
        assert_eq!(same(&shown), same(&step.expected), "{words:?}");
        typed += 1;
    }
    assert_eq!(typed, 8);
}
