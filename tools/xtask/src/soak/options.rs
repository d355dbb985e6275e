//! The command line of `cargo xtask soak`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

/// A file system of the guest's disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileSystem {
    Ext4,
    Xfs,
}

impl FileSystem {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    /// Half of the time as it comes. On ext4 the others let more of what nobody synchronised reach the disk.
    pub(super) fn mount_options(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 => &["defaults", "defaults", "nodelalloc", "nodelalloc,commit=1"],
            Self::Xfs => &["defaults"],
        }
    }
}

/// What dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Kill,
    Power(FileSystem),
}

impl What {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Power(FileSystem::Ext4) => "power-ext4",
            Self::Power(FileSystem::Xfs) => "power-xfs",
        }
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Options {
    what: Vec<What>,
    count: Option<u32>,
    pub(super) seed: u64,
    /// The daemon, if it is not to be built.
    pub(super) binary: Option<PathBuf>,
}

/// How often, if nobody says.
const KILLS: u32 = 200;
const POWER_CUTS: u32 = 50;

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { what: Vec::new(), count: None, seed: clock_seed(), binary: None };
        let mut file_system = None;
        let mut words = arguments.iter();
        let mut kinds = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "kill" | "power" => kinds.push(word.as_str()),
                "--count" => options.count = Some(value()?.parse().context("--count")?),
                "--seed" => options.seed = value()?.parse().context("--seed")?,
                "--fs" => file_system = Some(parse_file_system(value()?)?),
                "--binary" => options.binary = Some(PathBuf::from(value()?).canonicalize().context("--binary")?),
                _ => bail!("unknown word {word}: there are kill power --count --seed --fs --binary"),
            }
        }
        if kinds.is_empty() || kinds.contains(&"kill") {
            options.what.push(What::Kill);
        }
        if kinds.is_empty() || kinds.contains(&"power") {
            let all = [FileSystem::Ext4, FileSystem::Xfs];
            let wanted = all.into_iter().filter(|fs| file_system.is_none_or(|only| only == *fs));
            options.what.extend(wanted.map(What::Power));
        }
        Ok(options)
    }

    /// What is to be done, and how often.
    pub(super) fn plan(&self) -> Vec<(What, u32)> {
        let usual = |what: &What| if *what == What::Kill { KILLS } else { POWER_CUTS };
        self.what.iter().map(|what| (*what, self.count.unwrap_or_else(|| usual(what)))).collect()
    }
}

fn parse_file_system(name: &str) -> Result<FileSystem> {
    match name {
        "ext4" => Ok(FileSystem::Ext4),
        "xfs" => Ok(FileSystem::Xfs),
        _ => bail!("--fs {name}: there are ext4 and xfs"),
    }
}

/// Another one each time; it is in the record.
fn clock_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Vec<(What, u32)> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).unwrap().plan()
    }

    #[test]
    fn without_words_everything_is_done_at_length() {
        let (ext4, xfs) = (What::Power(FileSystem::Ext4), What::Power(FileSystem::Xfs));
        assert_eq!(plan(""), [(What::Kill, 200), (ext4, 50), (xfs, 50)]);
        assert_eq!(plan("kill --count 20"), [(What::Kill, 20)]);
        assert_eq!(plan("power --count 2 --fs xfs"), [(xfs, 2)]);
        assert_eq!(plan("power"), [(ext4, 50), (xfs, 50)]);
    }

    #[test]
    fn a_misspelt_word_is_refused() {
        for words in [&["kil"][..], &["--fs", "btrfs"], &["--count"], &["--count", "x"]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert!(Options::parse(&words).is_err(), "{words:?}");
        }
    }
}
