//! The README's `console` blocks, typed at a real daemon in their order; what comes back must be what they show.
//!
//! `...` alone on a line stands for any lines. A block's commands depend on those before it, as a reader's do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]
mod support;

use std::fs;

use support::Library;
use support::transcript::{agrees, lines, steps};

#[test]
fn what_the_readme_shows_is_what_comes() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let library = Library::start();
    let steps = steps(&readme);
    assert!(steps.len() >= 5, "the README has lost its commands");
    for step in steps {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        let output = library.command(&words);
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
        let agree = agrees(&lines(&step.expected), &lines(&shown));
        assert!(agree, "{words:?} shows\n{shown}\nthe README\n{}", step.expected);
    }
}
