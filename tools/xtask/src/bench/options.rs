//! The command line of `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::row::Row;
use super::subject::Subject;

#[derive(Debug)]
pub(super) struct Options {
    pub(super) rows: Vec<Row>,
    pub(super) repeat: u32,
    /// Moved in one measurement by all drives together.
    pub(super) bytes: u64,
    pub(super) seed: u64,
    pub(super) only: Vec<Subject>,
    /// Blocks on the tape of LOCATE.
    pub(super) blocks: u64,
    /// Cartridges in the library that is started.
    pub(super) cartridges: u32,
    pub(super) directory: Option<PathBuf>,
    pub(super) json: Option<PathBuf>,
    pub(super) binary: Option<PathBuf>,
    pub(super) document: bool,
    /// Anything but `--document` was said.
    measures: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            options.measures |= word != "--document";
            match word.as_str() {
                "--document" => options.document = true,
                "--repeat" => options.repeat = value()?.parse().context("--repeat")?,
                "--bytes" => options.bytes = size(value()?).context("--bytes")?,
                "--seed" => options.seed = value()?.parse().context("--seed")?,
                "--only" => options.only = value()?.split(',').map(Subject::parse).collect::<Result<_>>()?,
                "--blocks" => options.blocks = value()?.parse().context("--blocks")?,
                "--cartridges" => options.cartridges = value()?.parse().context("--cartridges")?,
                "--directory" => options.directory = Some(value()?.into()),
                "--json" => options.json = Some(value()?.into()),
                "--binary" => options.binary = Some(PathBuf::from(value()?).canonicalize().context("--binary")?),
                _ => options.rows.push(row(word)?),
            }
        }
        ensure!(options.repeat > 0, "--repeat 0: nothing would be measured");
        if options.rows.is_empty() {
            options.rows = Row::ALL.to_vec();
        }
        options.rows.sort();
        options.rows.dedup();
        Ok(options)
    }

    /// The last report is all that is wanted.
    pub(super) fn is_only_document(&self) -> bool {
        self.document && !self.measures
    }

    pub(super) fn wants(&self, row: Row) -> bool {
        self.rows.contains(&row)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            repeat: 5,
            bytes: 256 << 20,
            seed: 1,
            only: Subject::ALL.to_vec(),
            blocks: 10_000_000,
            cartridges: 1500,
            directory: None,
            json: None,
            binary: None,
            document: false,
            measures: false,
        }
    }
}

fn row(word: &str) -> Result<Row> {
    match Row::ALL.iter().find(|row| row.name() == word) {
        Some(row) => Ok(*row),
        None => {
            let rows: Vec<&str> = Row::ALL.iter().map(|row| row.name()).collect();
            bail!("unknown word {word}: there are {}, and the options that `cargo xtask help` lists", rows.join(" "))
        }
    }
}

/// `256MiB`, `1GiB`, or bytes.
fn size(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" => 1,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        unit => bail!("{unit}: there are MiB and GiB"),
    };
    digits.parse::<u64>()?.checked_mul(unit).context("too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_words_everything_is_measured() {
        let options = parse("").unwrap();
        assert_eq!(options.rows, Row::ALL);
        assert_eq!((options.repeat, options.bytes, options.only.len()), (5, 256 << 20, 5));
        assert!(!options.is_only_document());
        assert!(parse("--document").unwrap().is_only_document());
    }

    #[test]
    fn rows_are_measured_once_and_sizes_have_units() {
        let options = parse("nop --bytes 1GiB throughput nop --only capstan,tgt --document").unwrap();
        assert_eq!(options.rows, [Row::Throughput, Row::Nop]);
        assert_eq!((options.bytes, options.only), (1 << 30, vec![Subject::Capstan, Subject::Tgt]));
        assert!(options.document && options.measures);
    }

    #[test]
    fn a_misspelt_word_is_refused() {
        for words in ["thruput", "--bytes 1GB", "--only capsten", "--repeat 0", "--repeat", "--bytes 99999999999GiB"] {
            assert!(parse(words).is_err(), "{words}");
        }
    }
}
