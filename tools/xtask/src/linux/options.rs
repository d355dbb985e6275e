//! The command line of `cargo xtask linux`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::server::Kind;

/// In which form a job is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// The server of jobs that need an object store.
    pub(super) server: Kind,
    /// With all of their data, rather than as much as continuous integration has time for.
    pub(super) full: bool,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Options {
    pub(super) list: bool,
    pub(super) setup: bool,
    pub(super) keep: bool,
    pub(super) form: Form,
    /// The daemon under test, if it is not to be built.
    pub(super) binary: Option<PathBuf>,
    /// Names; none means all.
    pub(super) jobs: Vec<String>,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => options.list = true,
                "--setup" => options.setup = true,
                "--keep" => options.keep = true,
                "--full" => options.form.full = true,
                "--server" => options.form.server = Kind::parse(words.next().context("--server needs a name")?)?,
                "--binary" => {
                    let file = PathBuf::from(words.next().context("--binary needs a file")?);
                    options.binary = Some(file.canonicalize().with_context(|| format!("--binary {}", file.display()))?);
                }
                word if word.starts_with('-') => {
                    bail!("unknown option {word}: there are --list --setup --keep --full --server NAME --binary FILE")
                }
                job => options.jobs.push(job.to_owned()),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_jobs_mix_and_an_unknown_option_is_refused() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options = Options::parse(&words("mt --keep tar")).unwrap();
        assert_eq!(options, Options { keep: true, jobs: vec!["mt".into(), "tar".into()], ..Options::default() });
        let options = Options::parse(&words("--full --server s3s")).unwrap();
        assert_eq!(options.form, Form { server: Kind::S3sFs, full: true });
        assert!(Options::parse(&words("--server")).is_err());
        assert!(Options::parse(&words("--kep")).is_err());
        assert!(Options::parse(&words("--binary")).is_err());
    }
}
