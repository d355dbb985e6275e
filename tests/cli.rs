//! Transcripts of the command line: `tests/cmd/*.md` hold what is typed and what must come back, byte for byte.
//!
//! `TRYCMD=overwrite cargo test -p capstan --test cli` writes them anew; the difference is then for a person to judge.

#[test]
fn transcripts() {
    trycmd::TestCases::new().env("COLUMNS", "100").case("tests/cmd/*.md");
}
