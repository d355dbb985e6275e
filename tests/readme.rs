//! The README's `console` blocks, typed at a real daemon in their order; what comes back must be what they show.
//!
//! `...` alone on a line stands for any lines. A block's commands depend on those before it, as a reader's do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]
mod support;

use std::fs;

use support::Library;

/// One command and what the README shows below it.
struct Step {
    words: Vec<String>,
    expected: String,
    code: i32,
}

/// The commands of all `console` blocks.
fn steps(readme: &str) -> Vec<Step> {
    let blocks = readme.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ capstan ") {
            let words = command.split_whitespace().map(str::to_owned).collect();
            steps.push(Step { words, expected: String::new(), code: 0 });
        } else if let Some(code) = line.strip_prefix("? ") {
            steps.last_mut().unwrap().code = code.parse().unwrap();
        } else {
            let step = steps.last_mut().expect("a block begins with a command");
            step.expected.push_str(line);
            step.expected.push('\n');
        }
    }
    steps
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

/// Whether `shown` is `expected`, in which a line `...` stands for any number of lines.
fn agrees(expected: &[&str], shown: &[&str]) -> bool {
    match (expected.split_first(), shown.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=shown.len()).any(|skipped| agrees(rest, &shown[skipped..])),
        (Some((first, expected)), Some((line, shown))) => first == line && agrees(expected, shown),
        _ => false,
    }
}

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
