//! A file for each tape file, and `blocks.json`, which says the rest: sizes of blocks, filemarks, damage.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Taker, Walked, close, create, create_directory, zeros};
use crate::error::Damage;
use crate::tape::Tape;

const INDEX: &str = "blocks.json";
/// It gets its name when everything is there.
const INDEX_BEGUN: &str = "blocks.json.part";

/// A directory that is being written.
pub(super) struct Files {
    directory: PathBuf,
    index: BufWriter<File>,
    entries: u64,
    current: Option<(Entry, Option<BufWriter<File>>)>,
}

/// One tape file in the index.
#[derive(Serialize)]
struct Entry {
    /// How many filemarks are before it.
    file: u64,
    /// None if it has no blocks.
    name: Option<String>,
    /// The first of its blocks, as READ POSITION numbers them.
    first_block: u64,
    bytes: u64,
    /// Sizes of blocks: how many, of how many bytes.
    blocks: Vec<(u64, u64)>,
    /// Filemarks that follow it.
    filemarks: u64,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damage: Vec<Lost>,
}

#[derive(Serialize)]
struct Lost {
    block: u64,
    count: u64,
    /// Where zeros are in the file in its place; none if its length is not known and nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    zeros: Option<u64>,
    damage: Damage,
}

impl Files {
    pub(super) fn create(directory: &Path, tape: &Tape<'_>) -> io::Result<Self> {
        create_directory(directory)?;
        let mut index = create(&directory.join(INDEX_BEGUN))?;
        let end = tape.layout.end;
        let head = serde_json::json!({
            "barcode": tape.name.barcode,
            "cartridge": tape.name.cartridge.to_string(),
            "delta": tape.state.number,
            "version": tape.version.as_ref().map(|version| version.number),
            "blocks": end.objects.saturating_sub(end.filemarks),
            "filemarks": end.filemarks,
            "bytes": end.bytes,
        });
        let head = head.to_string();
        write!(index, "{},\n\"files\": [", head.trim_end_matches('}'))?;
        Ok(Self { directory: directory.to_owned(), index, entries: 0, current: None })
    }

    /// The entry that something belongs to: filemarks end one, everything else after them begins the next.
    fn entry(&mut self, walked: &Walked, is_filemark: bool) -> io::Result<&mut (Entry, Option<BufWriter<File>>)> {
        if !is_filemark && self.current.as_ref().is_some_and(|(entry, _)| entry.filemarks > 0) {
            self.end_entry()?;
        }
        let entry = || Entry {
            file: walked.file,
            name: None,
            first_block: walked.object,
            bytes: 0,
            blocks: Vec::new(),
            filemarks: 0,
            damage: Vec::new(),
        };
        Ok(self.current.get_or_insert_with(|| (entry(), None)))
    }

    /// The same with a file to write to.
    fn output(&mut self, walked: &Walked) -> io::Result<(&mut Entry, &mut BufWriter<File>)> {
        let name = format!("file-{:05}.bin", walked.file);
        let path = self.directory.join(&name);
        let (entry, file) = self.entry(walked, false)?;
        let file = match file {
            Some(file) => file,
            None => {
                entry.name = Some(name);
                file.insert(create(&path)?)
            }
        };
        Ok((entry, file))
    }

    fn end_entry(&mut self) -> io::Result<()> {
        let Some((entry, file)) = self.current.take() else { return Ok(()) };
        file.map_or(Ok(()), close)?;
        let comma = if self.entries == 0 { "\n" } else { ",\n" };
        self.entries += 1;
        self.index.write_all(comma.as_bytes())?;
        serde_json::to_writer(&mut self.index, &entry)?;
        Ok(())
    }
}

impl Entry {
    fn add(&mut self, length: u64) {
        self.bytes += length;
        match self.blocks.last_mut() {
            Some((count, size)) if *size == length => *count += 1,
            _ => self.blocks.push((1, length)),
        }
    }
}

impl Taker for Files {
    fn block(&mut self, walked: &Walked, block: &[u8]) -> io::Result<()> {
        let (entry, file) = self.output(walked)?;
        entry.add(u64::try_from(block.len()).unwrap_or(u64::MAX));
        file.write_all(block)
    }

    fn damaged_block(&mut self, walked: &Walked, length: u64, damage: &Damage) -> io::Result<()> {
        let (entry, file) = self.output(walked)?;
        let zeros_at = Some(entry.bytes);
        entry.damage.push(Lost { block: walked.object, count: 1, zeros: zeros_at, damage: damage.clone() });
        entry.add(length);
        zeros(file, length)
    }

    fn filemarks(&mut self, walked: &Walked, count: u64) -> io::Result<()> {
        self.entry(walked, true)?.0.filemarks += count;
        Ok(())
    }

    fn lost(&mut self, walked: &Walked, count: u64, filemarks: u64, damage: &Damage) -> io::Result<()> {
        let (entry, _) = self.entry(walked, false)?;
        entry.damage.push(Lost { block: walked.object, count, zeros: None, damage: damage.clone() });
        entry.filemarks += filemarks;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.end_entry()?;
        self.index.write_all(b"\n]}\n")?;
        close(self.index)?;
        fs::rename(self.directory.join(INDEX_BEGUN), self.directory.join(INDEX))?;
        File::open(&self.directory)?.sync_all()
    }
}
