//! Files that have grown long. A warning: a long file may be right, but somebody should have thought about it.

use super::{Source, is_rust};

const LINES: usize = 600;

pub(super) fn warnings(sources: &[Source]) -> Vec<String> {
    let long = sources.iter().filter(|source| is_rust(&source.path) && source.text.lines().count() > LINES);
    long.map(|source| format!("{}: {} lines, aim below 400", source.path.display(), source.text.lines().count()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_rust_files_are_listed() {
        let file = |path: &str, lines| Source { path: path.into(), text: "x\n".repeat(lines) };
        let sources = [file("a.rs", 601), file("b.rs", 600), file("c.md", 601)];
        assert_eq!(warnings(&sources), ["a.rs: 601 lines, aim below 400"]);
    }
}
