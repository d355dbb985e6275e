//! The jobs: bash scripts that say in their header what they prove and what they need.
//!
//! ```text
//! # One paragraph: what the job proves.
//! #
//! # rig: target = none            the job brings its own target (default: capstan)
//! # rig: tape_size = 2GiB         size of the ten default cartridges (default: the daemon's)
//! # rig: memory = 1G              of the guest (default: 1G)
//! # rig: disks = 6 768M            of the guest: /dev/ubda and so on, of zeros (default: none)
//! # rig: programs = capstan        in /host: capstan, crash-load
//! # rig: files = deploy/x.sh       in /host, from the top of the source
//! # rig: timeout = 300            seconds for the whole job (default: 300)
//! # rig: full_timeout = 3600      the same with --full (default: the timeout)
//! # rig: start = by the job       with a configuration of its own (default: by the rig, before the job)
//! # rig: variants = NAME a b      run it as `job-a` and `job-b`, with NAME in the environment
//! ```

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// One run in the guest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    pub(super) name: String,
    /// File in `jobs/`.
    pub(super) file: String,
    /// First paragraph of the header.
    pub(super) proves: String,
    /// Whether it is run against the daemon; otherwise the job brings its own target.
    daemon: bool,
    pub(super) tape_size: Option<String>,
    pub(super) memory: String,
    /// How many disks the guest has, and the size of each.
    pub(super) disks: Option<(usize, String)>,
    /// Programs that it runs itself.
    pub(super) programs: Vec<String>,
    /// Files of the source that it uses.
    pub(super) files: Vec<String>,
    timeout: Duration,
    full_timeout: Option<Duration>,
    /// Whether the daemon runs when the job begins.
    pub(super) started: bool,
    /// Variable of this variant, for the job's environment.
    pub(super) variant: Option<(String, String)>,
}

impl Job {
    pub(super) fn needs_daemon(&self) -> bool {
        self.daemon
    }

    /// For the whole job.
    pub(super) fn timeout(&self, full: bool) -> Duration {
        self.full_timeout.filter(|_| full).unwrap_or(self.timeout)
    }

    /// The jobs of one file: one, or one per variant.
    fn parse(file: &str, text: &str) -> Result<Vec<Self>> {
        let name = file.strip_suffix(".sh").context("a job is a .sh file")?;
        let mut job = Self {
            name: name.to_owned(),
            file: file.to_owned(),
            proves: proves(text)?,
            daemon: true,
            tape_size: None,
            memory: "1G".to_owned(),
            disks: None,
            programs: Vec::new(),
            files: Vec::new(),
            timeout: Duration::from_secs(300),
            full_timeout: None,
            started: true,
            variant: None,
        };
        let mut variants = None;
        for setting in text.lines().filter_map(|line| line.strip_prefix("# rig: ")) {
            let (key, value) = setting.split_once(" = ").with_context(|| format!("not `key = value`: {setting}"))?;
            match (key, value) {
                ("target", "none") => job.daemon = false,
                ("tape_size", size) => job.tape_size = Some(size.to_owned()),
                ("memory", size) => job.memory = size.to_owned(),
                ("disks", value) => job.disks = Some(disks(value)?),
                ("programs", names) => job.programs = words(names),
                ("files", names) => job.files = words(names),
                ("timeout", value) => job.timeout = seconds(value).context("timeout")?,
                ("full_timeout", value) => job.full_timeout = Some(seconds(value).context("full_timeout")?),
                ("start", "by the job") => job.started = false,
                ("variants", value) => variants = Some(value.split_once(' ').context("variants = NAME values")?),
                _ => bail!("unknown setting: {setting}"),
            }
        }
        Ok(match variants {
            None => vec![job],
            Some((variable, values)) => values.split(' ').map(|value| job.with(variable, value)).collect(),
        })
    }

    fn with(&self, variable: &str, value: &str) -> Self {
        let name = format!("{}-{value}", self.name);
        Self { name, variant: Some((variable.to_owned(), value.to_owned())), ..self.clone() }
    }
}

/// A number and a size.
fn disks(value: &str) -> Result<(usize, String)> {
    let (number, size) = value.split_once(' ').context("disks = NUMBER SIZE")?;
    let number = number.parse().context("disks")?;
    // The guest's kernel has names for sixteen.
    if !(1..=16).contains(&number) {
        bail!("disks = {number}: from 1 to 16");
    }
    Ok((number, size.to_owned()))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn seconds(value: &str) -> Result<Duration> {
    Ok(Duration::from_secs(value.parse()?))
}

/// The first paragraph of the comment under `#!`, on one line.
fn proves(text: &str) -> Result<String> {
    let lines = text.lines().skip_while(|line| line.starts_with("#!"));
    let paragraph: Vec<&str> = lines.map_while(|line| line.strip_prefix("# ")).collect();
    if paragraph.is_empty() || paragraph.iter().any(|line| line.starts_with("rig:")) {
        bail!("a job begins with a comment on what it proves, then an empty comment line");
    }
    Ok(paragraph.join(" "))
}

/// Every job, in the order of the files' names.
pub(super) fn load(directory: &Path) -> Result<Vec<Job>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        files.push(entry?.file_name().to_string_lossy().into_owned());
    }
    files.sort();
    let mut jobs = Vec::new();
    for file in &files {
        let text = fs::read_to_string(directory.join(file))?;
        jobs.extend(Job::parse(file, &text).with_context(|| format!("job {file}"))?);
    }
    Ok(jobs)
}

/// The jobs of these names: a file's name stands for all its variants. A name that is not there is an error.
pub(super) fn select(jobs: Vec<Job>, names: &[String]) -> Result<Vec<Job>> {
    if names.is_empty() {
        return Ok(jobs);
    }
    let mut selected = Vec::new();
    for name in names {
        let before = selected.len();
        selected.extend(jobs.iter().filter(|job| job.name == *name || job.file == format!("{name}.sh")).cloned());
        if selected.len() == before {
            bail!(
                "no job {name}: there are {}",
                jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>().join(" ")
            );
        }
    }
    Ok(selected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#!/bin/bash\n# It proves\n# this.\n#\n# rig: timeout = 60\n# rig: variants = SIZE 1 2\n. lib\n";

    #[test]
    fn the_header_is_read() {
        let jobs = Job::parse("a.sh", TEXT).unwrap();
        assert_eq!(jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["a-1", "a-2"]);
        let job = jobs.first().unwrap();
        assert_eq!((job.proves.as_str(), job.timeout(true)), ("It proves this.", Duration::from_secs(60)));
        assert_eq!(job.variant, Some(("SIZE".into(), "1".into())));
        assert!(job.needs_daemon() && job.started);
        let jobs = Job::parse("b.sh", "# B.\n#\n# rig: full_timeout = 900\n# rig: start = by the job\n").unwrap();
        let job = jobs.first().unwrap();
        assert_eq!((job.timeout(false).as_secs(), job.timeout(true).as_secs(), job.started), (300, 900, false));
    }

    #[test]
    fn a_job_gets_what_it_brings_its_own_target_with() {
        let text = "# Proves.\n#\n# rig: disks = 6 768M\n# rig: programs = capstan crash-load\n# rig: files = a/b.sh\n";
        let jobs = Job::parse("a.sh", text).unwrap();
        let job = jobs.first().unwrap();
        assert_eq!(job.disks, Some((6, "768M".to_owned())));
        assert_eq!((job.programs.join(" "), job.files.join(" ")), ("capstan crash-load".into(), "a/b.sh".into()));
    }

    #[test]
    fn a_misspelt_setting_and_a_job_without_a_purpose_are_refused() {
        assert!(Job::parse("a.sh", "# Proves.\n#\n# rig: timeot = 6\n").is_err());
        assert!(Job::parse("a.sh", "#!/bin/bash\n# rig: timeout = 6\n").is_err());
        assert!(Job::parse("a.sh", "#!/bin/bash\necho\n").is_err());
        assert!(Job::parse("a.sh", "# Proves.\n#\n# rig: disks = 17 1G\n").is_err());
    }

    #[test]
    fn a_name_selects_all_variants_and_an_unknown_one_is_an_error() {
        let select = |name: &str| select(Job::parse("a.sh", TEXT).unwrap(), &[name.to_owned()]);
        assert_eq!(select("a").unwrap().len(), 2);
        assert_eq!(select("a-2").unwrap().len(), 1);
        assert!(select("b").is_err());
    }
}
