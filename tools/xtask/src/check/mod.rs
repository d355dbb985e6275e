//! `cargo xtask check`: rules that the compiler does not know.
//!
//! Each rule is a function from what it looks at to a list of findings, so that each one is tested on a case
//! that must be refused.

mod arrows;
mod length;
mod paths;
mod sans_io;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::workspace::Workspace;

/// A file of the workspace: path from the root, text.
struct Source {
    path: PathBuf,
    text: String,
}

/// Prints what is wrong; whether nothing is.
pub(crate) fn run() -> Result<bool> {
    let workspace = Workspace::load()?;
    let sources = read(&workspace)?;
    let mut findings = arrows::findings(&workspace.packages);
    findings.extend(sans_io::findings(&workspace.packages, &sources));
    findings.extend(crate::docs::findings(&workspace.root)?);
    findings.extend(paths::findings(&sources, &paths::of_this_machine(&workspace.root)));
    for warning in length::warnings(&sources) {
        println!("warning: {warning}");
    }
    for finding in &findings {
        println!("error: {finding}");
    }
    println!("check: {} packages, {} files, {} errors", workspace.packages.len(), sources.len(), findings.len());
    Ok(findings.is_empty())
}

/// Every text file; a file that is not UTF-8 (a fixture, say) has no lines to look at.
fn read(workspace: &Workspace) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in workspace.files()? {
        if let Ok(text) = String::from_utf8(fs::read(workspace.root.join(&path))?) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}
