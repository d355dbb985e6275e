//! The crates without input and output: time, randomness and bytes reach them as arguments.
//!
//! That is what lets their tests run a whole session in virtual time, so it holds for their tests too.

use std::path::Path;

use super::arrows::short;
use super::{Source, is_rust};
use crate::workspace::Package;

const CRATES: &[&str] = &["scsi", "iscsi", "media", "format", "image", "device"];

const DEPENDENCIES: &[&str] = &["tokio", "rustix", "libc", "nix", "mio", "socket2", "getrandom", "rand", "uuid"];

/// Looked for in library code only: a test may read a fixture.
const WORDS: &[&str] =
    &["std::fs", "std::net", "std::thread", "std::process", "std::env", "Instant::now", "SystemTime::now"];

pub(super) fn findings(packages: &[Package], sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let name = short(&package.name);
        if CRATES.contains(&name) {
            findings.extend(dependencies(name, package));
            findings.extend(source(name, sources));
        }
    }
    findings
}

fn dependencies(name: &str, package: &Package) -> Vec<String> {
    let refused = package.dependencies.iter().filter(|dependency| DEPENDENCIES.contains(&dependency.name.as_str()));
    refused.map(|dependency| format!("sans-IO crate {name} depends on {}", dependency.name)).collect()
}

fn source(name: &str, sources: &[Source]) -> Vec<String> {
    let directory = Path::new("crates").join(name).join("src");
    let mut findings = Vec::new();
    let root = sources.iter().find(|source| source.path == directory.join("lib.rs"));
    if !root.is_some_and(|source| source.text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]")) {
        findings.push(format!("{}/lib.rs does not say #![forbid(unsafe_code)]", directory.display()));
    }
    for source in sources.iter().filter(|source| source.path.starts_with(&directory) && is_rust(&source.path)) {
        findings.extend(words(source));
    }
    findings
}

fn words(source: &Source) -> Vec<String> {
    if source.path.ends_with("tests.rs") || source.path.components().any(|part| part.as_os_str() == "tests") {
        return Vec::new();
    }
    let library = source.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let mut findings = Vec::new();
    for (number, line) in library.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for word in WORDS.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{}:{}: {word} in a sans-IO crate", source.path.display(), number + 1));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Kind};

    fn scsi(dependency: &str, text: &str) -> Vec<String> {
        let dependencies = vec![Dependency { name: dependency.into(), kind: Kind::Normal }];
        let package = Package { name: "capstan-scsi".into(), dependencies };
        findings(&[package], &[Source { path: "crates/scsi/src/lib.rs".into(), text: text.into() }])
    }

    #[test]
    fn a_clean_crate_passes_and_its_tests_may_read_files() {
        let text = "#![forbid(unsafe_code)]\n// std::fs is not used\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(scsi("bytes", text), Vec::<String>::new());
    }

    #[test]
    fn a_runtime_is_refused() {
        assert_eq!(scsi("tokio", "#![forbid(unsafe_code)]"), ["sans-IO crate scsi depends on tokio"]);
    }

    #[test]
    fn a_clock_is_refused_with_its_line() {
        let text = "#![forbid(unsafe_code)]\nlet now = Instant::now();\n";
        assert_eq!(scsi("bytes", text), ["crates/scsi/src/lib.rs:2: Instant::now in a sans-IO crate"]);
    }

    #[test]
    fn unsafe_code_must_be_forbidden() {
        assert_eq!(scsi("bytes", ""), ["crates/scsi/src/lib.rs does not say #![forbid(unsafe_code)]"]);
    }
}
