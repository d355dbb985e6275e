//! `export`: a tape as files.

mod files;
mod tap;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use self::files::Files;
use self::tap::Tap;
use super::Session;
use super::cat::AHEAD;
use crate::cli::{Export, ExportFormat, Outcome};
use crate::error::{Damage, Error};
use crate::tape::{Item, Tape, Walk};
use crate::text;

/// Something that takes a tape from its beginning to its end.
trait Taker {
    /// A block that is whole.
    fn block(&mut self, walked: &Walked, block: &[u8]) -> io::Result<()>;
    /// A block of which only the length is known.
    fn damaged_block(&mut self, walked: &Walked, length: u64, damage: &Damage) -> io::Result<()>;
    /// Filemarks.
    fn filemarks(&mut self, walked: &Walked, count: u64) -> io::Result<()>;
    /// Objects that cannot be told, the filemarks among them being the last ones.
    fn lost(&mut self, walked: &Walked, count: u64, filemarks: u64, damage: &Damage) -> io::Result<()>;
    /// The end of the tape. Everything is on stable storage when it returns.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Where the walk is.
struct Walked {
    file: u64,
    object: u64,
}

/// What was exported.
#[derive(Serialize, Default)]
struct Summary {
    barcode: String,
    /// It is as of this delta.
    delta: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    out: String,
    blocks: u64,
    filemarks: u64,
    bytes: u64,
    damaged_blocks: u64,
    lost_objects: u64,
}

impl Session<'_> {
    pub(crate) fn export(&mut self, export: &Export) -> Result<Outcome, Error> {
        let tape = self.tape(&export.barcode, &export.version)?;
        if tape.is_encrypted() && tape.keys.keys.is_empty() {
            return Err(tape.keys.refusal(&tape.name.barcode));
        }
        let taker: Box<dyn Taker> = match export.format {
            ExportFormat::Files => Box::new(Files::create(&export.out, &tape).map_err(cannot(&export.out))?),
            ExportFormat::Tap => Box::new(Tap::create(&export.out).map_err(cannot(&export.out))?),
        };
        let mut summary = Summary {
            barcode: tape.name.barcode.clone(),
            delta: tape.state.number,
            version: tape.version.as_ref().map(|version| version.number),
            out: export.out.display().to_string(),
            ..Summary::default()
        };
        self.take(&tape, taker, &mut summary)?;
        self.answer(&summary, Summary::text)?;
        Ok(self.outcome)
    }

    fn take(&mut self, tape: &Tape<'_>, mut taker: Box<dyn Taker>, summary: &mut Summary) -> Result<(), Error> {
        let mut walk = Walk::new(tape, AHEAD);
        while let Some(item) = walk.next()? {
            let walked = Walked { file: walk.file(), object: item.objects().0 };
            match item {
                Item::Block { length, .. } => match walk.payload()? {
                    Ok(block) => {
                        taker.block(&walked, &block)?;
                        summary.blocks += 1;
                        summary.bytes += length;
                    }
                    Err(damage) => {
                        self.damaged(&damage)?;
                        taker.damaged_block(&walked, length, &damage)?;
                        summary.damaged_blocks += 1;
                    }
                },
                Item::Filemarks { count, .. } => {
                    taker.filemarks(&walked, count)?;
                    summary.filemarks += count;
                }
                Item::Lost { count, filemarks, damage, .. } => {
                    self.damaged(&damage)?;
                    taker.lost(&walked, count, filemarks.min(count), &damage)?;
                    summary.lost_objects += count;
                }
            }
        }
        for remark in walk.remarks() {
            self.damaged(&remark)?;
        }
        Ok(taker.finish()?)
    }
}

impl Summary {
    fn text(&self) -> String {
        let mut text = format!(
            "{}{} is in {}: {}, {}, {}\n",
            self.barcode,
            self.version.map(|version| format!(", version {version},")).unwrap_or_default(),
            self.out,
            text::count(self.blocks, "block"),
            text::count(self.filemarks, "filemark"),
            text::count(self.bytes, "byte"),
        );
        if self.damaged_blocks + self.lost_objects > 0 {
            text += &format!("damaged blocks: {}, lost objects: {}\n", self.damaged_blocks, self.lost_objects);
        }
        text
    }
}

fn cannot(out: &Path) -> impl Fn(io::Error) -> Error {
    let out = out.display().to_string();
    move |error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Usage(format!("{out} is there already: export writes to a new place")),
        _ => Error::Output(io::Error::new(error.kind(), format!("{out}: {error}"))),
    }
}

/// A new file.
fn create(path: &Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}

fn close(file: BufWriter<File>) -> io::Result<()> {
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// A new directory.
fn create_directory(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    fs::create_dir(path)
}

/// Zeros in the place of a damaged block.
fn zeros(output: &mut dyn Write, length: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), length), output).map(drop)
}
