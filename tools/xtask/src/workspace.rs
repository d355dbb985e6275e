//! The workspace as `cargo metadata` describes it, and its source files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::process;

/// How a dependency is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]` and `[build-dependencies]`.
    Normal,
    /// `[dev-dependencies]`.
    Dev,
}

/// One line of a dependency table.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    /// Package name.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A member of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// The workspace.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo; members only, so nothing is downloaded.
    pub(crate) fn load() -> Result<Self> {
        let text = process::output(process::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
        Self::parse(&serde_json::from_str(&text)?)
    }

    fn parse(metadata: &Value) -> Result<Self> {
        let packages = array(metadata, "packages")?.iter().map(package).collect::<Result<_>>()?;
        Ok(Self {
            root: text(metadata, "workspace_root")?.into(),
            target: text(metadata, "target_directory")?.into(),
            packages,
        })
    }

    /// Every file of ours, relative to the root: no build output, no hidden directory but those of the project.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() && ours(&entry.file_name().to_string_lossy()) && entry.path() != self.target {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path().strip_prefix(&self.root)?.to_owned());
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

fn ours(directory: &str) -> bool {
    matches!(directory, ".ci" | ".cargo")
        || !(directory.starts_with('.') || matches!(directory, "target" | "capstan-data"))
}

fn package(value: &Value) -> Result<Package> {
    Ok(Package {
        name: text(value, "name")?.to_owned(),
        dependencies: array(value, "dependencies")?.iter().map(dependency).collect::<Result<_>>()?,
    })
}

fn dependency(value: &Value) -> Result<Dependency> {
    let kind = if value.get("kind").and_then(Value::as_str) == Some("dev") { Kind::Dev } else { Kind::Normal };
    Ok(Dependency { name: text(value, "name")?.to_owned(), kind })
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).ok_or_else(|| anyhow!("cargo metadata has no list {key:?}"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| anyhow!("cargo metadata has no text {key:?}"))
}
