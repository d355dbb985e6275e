//! The transcripts of `docs/recovery.md`, typed in their order. Between them, `<!-- test: ... -->` says what happens to
//! the files: `write`, `flip`, `remove`, `overwrite`, `stop`.
//!
//! Identities and checksums differ each time; all else is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod support;

use std::fs;

use bytes::Bytes;
use support::Library;
use support::transcript::{Step, agrees, lines, steps};

/// What a page tells to do.
enum Act {
    Type(Step),
    Happen(Vec<String>),
}

fn acts(page: &str) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find("<!-- test: ") {
        acts.extend(steps(&rest[..at]).into_iter().map(Act::Type));
        let (what, behind) = rest[at + 11..].split_once(" -->").unwrap();
        acts.push(Act::Happen(what.split_whitespace().map(str::to_owned).collect()));
        rest = behind;
    }
    acts.extend(steps(rest).into_iter().map(Act::Type));
    acts
}

async fn happen(library: &mut Library, words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["write", barcode] => {
            library.text(&["library", "load", barcode, "0"]);
            let tape = library.drive(0).await;
            tape.wait_ready().await.unwrap();
            for number in 0..4 {
                tape.write_block(Bytes::from(vec![number; 1000])).await.unwrap();
            }
            tape.write_filemarks(1, false).await.unwrap();
            library.text(&["library", "unload", "0"]);
        }
        ["flip", barcode, offset] => {
            let id = library.json(&["tape", "show", barcode])["id"].as_str().unwrap().to_owned();
            let tapes = library.state().join("cartridges/tapes");
            let path = tapes.join(&id[..2]).join(&id).join("000000/000000001.seg");
            let mut bytes = fs::read(&path).unwrap();
            bytes[offset.parse::<usize>().unwrap()] ^= 1;
            fs::write(path, bytes).unwrap();
        }
        ["stop"] => library.stop(),
        ["remove", name] => fs::remove_file(library.state().join(name)).unwrap(),
        ["overwrite", name] => fs::write(library.state().join(name), vec![b'x'; 8192]).unwrap(),
        _ => panic!("{words:?}"),
    }
}

/// Identities and checksums as they are in every run.
fn same(text: &str) -> String {
    let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let uuid = rest.get(..36).filter(|it| hex(it) && it.matches('-').count() == 4);
        let sum = rest.get(..10).filter(|it| it.starts_with("0x") && hex(&it[2..]));
        let fan = rest.get(..9).filter(|it| it.starts_with("tapes/") && hex(&it[6..8]) && it.ends_with('/'));
        let taken = uuid.or(sum).or(fan);
        out.push_str(if taken.is_some() { "(differs)" } else { &rest[..c.len_utf8()] });
        rest = &rest[taken.map_or(c.len_utf8(), str::len)..];
    }
    out
}

#[tokio::test]
async fn what_the_page_shows_is_what_comes() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recovery.md")).unwrap();
    let mut library = Library::start_unshipped();
    let state = library.state().display().to_string();
    let mut typed = 0;
    for act in acts(&page) {
        let step = match act {
            Act::Happen(words) => {
                happen(&mut library, &words).await;
                continue;
            }
            Act::Type(step) => step,
        };
        let words: Vec<&str> =
            step.words.iter().map(|word| if word == "capstan-data" { state.as_str() } else { word.as_str() }).collect();
        let output = library.command(&words);
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let shown = same(&shown.replace(&state, "capstan-data"));
        assert_eq!(output.status.code(), Some(step.code), "{words:?}\n{shown}");
        let expected = same(&step.expected);
        assert!(agrees(&lines(&expected), &lines(&shown)), "{words:?} shows\n{shown}\nthe page\n{expected}");
        typed += 1;
    }
    assert!(typed >= 7, "{typed}");
}

/// Every kind that a report can name is explained.
#[test]
fn the_page_explains_every_kind() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recovery.md")).unwrap();
    for kind in capstan_library::FindingKind::ALL {
        assert!(page.contains(&format!("`{kind}`")), "{kind}");
    }
    for kind in capstan_library::RemarkKind::ALL {
        assert!(page.contains(&format!("| `{}` |", kind.name())), "{}", kind.name());
    }
}
