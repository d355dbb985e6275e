//! `cargo xtask docs`: the README's comparison, made from `docs/status.md`, and the pages that tests make from the code.
//!
//! A row of the status table names a capability, its command, the test that proves it and what is missing; from the
//! last two follows what the comparison may claim. So nobody can praise what no test shows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{cargo, succeeds};
use crate::workspace::Workspace;

const BEGIN: &str = "<!-- comparison: made by `cargo xtask docs` from docs/status.md -->";
const END: &str = "<!-- end of comparison -->";
const RIVALS: [&str; 5] = ["AWS Tape Gateway", "mhvtl", "tgt", "QUADStor", "thur"];

/// One row of the table.
struct Row {
    capability: String,
    tests: Vec<String>,
    missing: String,
    rivals: Vec<String>,
}

impl Row {
    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [capability, _command, tests, missing, rivals @ ..] = cells.as_slice() else {
            bail!("a row of docs/status.md needs at least four cells: {line}");
        };
        ensure!(rivals.len() == RIVALS.len(), "a row of docs/status.md needs a cell for each of {RIVALS:?}: {line}");
        let tests = tests.split(',').map(|test| test.trim().trim_matches('`').to_owned());
        Ok(Self {
            capability: (*capability).to_owned(),
            tests: tests.filter(|test| !test.is_empty() && test != "-").collect(),
            missing: (*missing).to_owned(),
            rivals: rivals.iter().map(|cell| (*cell).to_owned()).collect(),
        })
    }

    /// "yes" only with a test and nothing missing.
    fn claim(&self) -> &'static str {
        match (self.tests.is_empty(), self.missing == "-") {
            (true, _) => "not yet",
            (false, true) => "**yes**",
            (false, false) => "partly",
        }
    }
}

/// Packages with tests that compare a page of `docs/reference` with the code, and the filter that finds these tests.
const PAGES: [(&str, &str); 4] = [
    ("capstan", "reference"),
    ("capstan-api", "reference"),
    ("capstan-device", "conformance"),
    ("capstan-library", "reference"),
];

/// Rewrites the README's block and the reference pages; true when it could.
pub(crate) fn write() -> Result<bool> {
    let root = Workspace::load()?.root;
    let readme = root.join("README.md");
    fs::write(&readme, rendered(&root)?).context("writing README.md")?;
    let mut good = true;
    for (package, filter) in PAGES {
        good &= succeeds(cargo().args(["test", "--quiet", "--package", package, filter]).env("UPDATE_DOCS", "1"))?;
    }
    Ok(good)
}

/// What is wrong with the table or the README's block.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for row in rows(root)? {
        let file = |test: &str| root.join(test.split("::").next().unwrap_or(test));
        let absent = row.tests.iter().filter(|test| !file(test).exists());
        findings.extend(
            absent.map(|test| format!("docs/status.md: \"{}\" names {test}, which is not there", row.capability)),
        );
    }
    if fs::read_to_string(root.join("README.md")).context("README.md")? != rendered(root)? {
        findings.push("README.md: the comparison is not what docs/status.md says: run `cargo xtask docs`".to_owned());
    }
    Ok(findings)
}

fn rows(root: &Path) -> Result<Vec<Row>> {
    let status = fs::read_to_string(root.join("docs/status.md")).context("docs/status.md")?;
    let table = status.lines().skip_while(|line| !line.starts_with("|---"));
    let rows: Vec<Row> =
        table.skip(1).take_while(|line| line.starts_with('|')).map(Row::parse).collect::<Result<_>>()?;
    ensure!(!rows.is_empty(), "docs/status.md has no table");
    Ok(rows)
}

fn rendered(root: &Path) -> Result<String> {
    let readme = fs::read_to_string(root.join("README.md")).context("README.md")?;
    let (before, rest) = readme.split_once(BEGIN).context("README.md has no comparison block")?;
    let (_, after) = rest.split_once(END).context("README.md: the comparison block has no end")?;
    Ok(format!("{before}{BEGIN}\n{}{END}{after}", table(&rows(root)?)))
}

fn table(rows: &[Row]) -> String {
    let mut lines =
        vec![format!("| | Capstan | {} |", RIVALS.join(" | ")), format!("|---|---|{}", "---|".repeat(RIVALS.len()))];
    lines.extend(
        rows.iter().map(|row| format!("| {} | {} | {} |", row.capability, row.claim(), row.rivals.join(" | "))),
    );
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_needs_a_test_and_nothing_missing() {
        let claim = |line| Row::parse(line).unwrap().claim();
        assert_eq!(claim("| a | `x` | `tests/a.rs` | - | Y | N | N | N | N |"), "**yes**");
        assert_eq!(claim("| a | `x` | `tests/a.rs` | much | Y | N | N | N | N |"), "partly");
        assert_eq!(claim("| a | - | - | all | Y | N | N | N | N |"), "not yet");
        assert!(Row::parse("| a | - | - | all | Y |").is_err());
    }
}
