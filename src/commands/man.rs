//! `capstan man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Page;
use serde::Serialize;

use crate::cli::{Cli, Globals};
use crate::failure::{Exit, Failure};

/// Print the manual page of a command, or write all of them
#[derive(Args)]
#[command(
    after_help = "Examples:\n  capstan man tape create | man -l -\n  capstan man --out /usr/local/share/man/man1"
)]
pub(crate) struct Man {
    /// Which command; none for `capstan` itself
    command: Vec<String>,
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    page: String,
}

#[derive(Serialize)]
struct Written {
    files: Vec<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        let mut root = Cli::command();
        root.build();
        if let Some(directory) = &self.out {
            let mut files = Vec::new();
            write_all(&root, directory, &mut files).map_err(|error| {
                Failure::failed(format!("the manual pages cannot be written to {}", directory.display()))
                    .why(error.to_string())
            })?;
            globals.answer(&Written { files }, |written| format!("{} pages written", written.files.len()));
            return Ok(());
        }
        let mut command = &root;
        for name in &self.command {
            command = command.find_subcommand(name).filter(|found| !found.is_hide_set()).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("capstan has no command {}", self.command.join(" ")))
                    .next("`capstan help` lists the commands")
            })?;
        }
        let page = render(command).map_err(|error| Failure::failed(error.to_string()))?;
        globals.answer(&Answer { page }, |answer| answer.page.clone());
        Ok(())
    }
}

fn render(command: &Command) -> io::Result<String> {
    let mut page = Vec::new();
    Page::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write_all(command: &Command, directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let file = directory.join(format!("{name}.1"));
    fs::write(&file, render(command)?)?;
    files.push(file);
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for subcommand in commands {
        write_all(subcommand, directory, files)?;
    }
    Ok(())
}
