//! The server of the bare limit: a thread for each connection.

use std::fs::{File, OpenOptions};
use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{HEADER, Request};
use crate::options::BareServerPart;
use crate::say;

/// Nothing longer is received.
const LONGEST: u32 = 16 << 20;

/// Until it is killed.
pub(crate) fn run(part: &BareServerPart) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    say(&json!({ "portal": listener.local_addr()?.to_string() }));
    loop {
        let (stream, _) = listener.accept()?;
        let directory = part.directory.clone();
        thread::spawn(move || {
            if let Err(error) = serve(stream, &directory) {
                eprintln!("bare server: {error:#}");
            }
        });
    }
}

fn serve(mut stream: TcpStream, directory: &Path) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut header = [0; HEADER];
    let mut block = Vec::new();
    let mut open: Option<(u32, File)> = None;
    loop {
        if stream.read(header.get_mut(..1).unwrap_or_default())? == 0 {
            return Ok(());
        }
        stream.read_exact(header.get_mut(1..).unwrap_or_default())?;
        let request = Request::decode(&header);
        ensure!(request.length <= LONGEST, "a block of {} bytes", request.length);
        block.resize(usize::try_from(request.length)?, 0);
        let file = match open.take() {
            Some((number, file)) if number == request.number => file,
            _ => file(&directory.join(request.number.to_string()))?,
        };
        if request.reads {
            file.read_exact_at(&mut block, request.offset)?;
            let sent = stream.write_vectored(&[IoSlice::new(&header), IoSlice::new(&block)])?;
            stream.write_all(block.get(sent.saturating_sub(HEADER)..).unwrap_or_default())?;
        } else {
            stream.read_exact(&mut block)?;
            file.write_all_at(&block, request.offset)?;
            stream.write_all(&header)?;
        }
        open = Some((request.number, file));
    }
}

fn file(path: &PathBuf) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).with_context(|| path.display().to_string())
}
