//! The library as its administrator sees it: `capstan ... --json`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The admin command.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) capstan: PathBuf,
    pub(crate) socket: PathBuf,
}

/// A cartridge in `capstan tape list`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct ListedTape {
    pub(crate) barcode: String,
    pub(crate) state: String,
    pub(crate) location: String,
    pub(crate) protected: bool,
    pub(crate) objects: u64,
}

impl Admin {
    pub(crate) async fn tapes(&self) -> Result<Vec<ListedTape>> {
        Ok(serde_json::from_str(&self.run(&["tape", "list"]).await?)?)
    }

    /// A new cartridge; what the command says of it.
    pub(crate) async fn create(&self, barcode: &str) -> Result<ListedTape> {
        let text = self.run(&["tape", "create", "--barcode", barcode, "--size", "1GiB"]).await?;
        let tapes: Vec<ListedTape> = serde_json::from_str(&text)?;
        tapes.into_iter().next().context("nothing was created")
    }

    /// Runs it; an exit status other than 0 is an error.
    pub(crate) async fn run(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.capstan);
        command.arg("--socket").arg(&self.socket).args(words).args(["--json", "--yes"]).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.with_context(|| self.capstan.display().to_string())?;
        if !output.status.success() {
            let said = [output.stderr, output.stdout].concat();
            bail!("capstan {}: {}: {}", words.join(" "), output.status, String::from_utf8_lossy(&said).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
