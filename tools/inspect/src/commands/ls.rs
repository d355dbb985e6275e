//! `ls`: the tapes of a tier, or what is on one.

use serde::Serialize;

use super::Session;
use crate::cli::{Ls, Outcome, Version};
use crate::error::{Damage, Error};
use crate::format::{Cause, TapeVersion};
use crate::looks;
use crate::tape::{Item, Tape, TapeFile, Walk};
use crate::text;
use crate::tier::{self, Claims};

/// Of a file, only its first block is looked at: one frame of the object.
const AHEAD: u64 = 1;

/// One tape in the list.
#[derive(Serialize)]
struct TapeLine {
    barcode: String,
    cartridge: Option<String>,
    gateway: Option<String>,
    blocks: u64,
    filemarks: u64,
    bytes: u64,
    /// The last delta of its manifest.
    delta: Option<u64>,
    /// It is an older version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    written: Option<String>,
    encrypted: bool,
    write_protected: bool,
    /// What keeps from reading it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What is on a tape.
#[derive(Serialize)]
struct Contents {
    #[serde(flatten)]
    tape: TapeLine,
    capacity: Option<u64>,
    segments: usize,
    /// The tape was being written when this was shipped.
    open: bool,
    files: Vec<FileLine>,
    /// What the tape was before.
    versions: Vec<VersionLine>,
    /// The cartridges whose segments it begins with.
    clone_of: Vec<String>,
    damage: Vec<Damage>,
}

#[derive(Serialize)]
struct VersionLine {
    version: u32,
    until: String,
    cause: &'static str,
    held: bool,
    blocks: u64,
    filemarks: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct FileLine {
    file: u64,
    first_block: u64,
    blocks: u64,
    bytes: u64,
    shortest_block: u64,
    longest_block: u64,
    filemarks: u64,
    lost_objects: u64,
    looks_like: Option<String>,
}

impl Session<'_> {
    pub(crate) fn ls(&mut self, ls: &Ls) -> Result<Outcome, Error> {
        match &ls.barcode {
            Some(barcode) => self.ls_tape(barcode, &ls.version),
            None if ls.version.is_given() => Err(Error::Usage("a version is of one tape: name it".to_owned())),
            None => self.ls_tier(),
        }
    }

    fn ls_tier(&mut self) -> Result<Outcome, Error> {
        let claims = Claims::read(self.source)?;
        for damage in &claims.damage {
            self.damaged(damage)?;
        }
        let tapes = tier::tapes(self.source)?;
        let mut lines = Vec::new();
        for (barcode, claim) in &claims.barcodes {
            if !tapes.iter().any(|tape| tape.barcode == *barcode && tape.cartridge == claim.cartridge) {
                lines.push(TapeLine {
                    cartridge: Some(claim.cartridge.to_string()),
                    gateway: Some(claims.gateway(claim.gateway)),
                    ..TapeLine::empty(barcode)
                });
            }
        }
        for name in tapes {
            let barcode = name.barcode.clone();
            let cartridge = Some(name.cartridge.to_string());
            let line = match self.open(name, &Version::default()) {
                Ok(tape) => TapeLine::of(&tape, &claims),
                Err(Error::Absent(what)) => TapeLine { error: Some(what), ..TapeLine::empty(&barcode) },
                Err(error) => return Err(error),
            };
            lines.push(TapeLine { cartridge, ..line });
        }
        lines.sort_by(|one, other| one.barcode.cmp(&other.barcode));
        if lines.iter().any(|line| line.error.is_some()) {
            self.outcome = Outcome::Damaged;
        }
        let place = self.source.name();
        self.answer(&lines, |lines| list(lines, &place))?;
        Ok(self.outcome)
    }

    fn ls_tape(&mut self, barcode: &str, version: &Version) -> Result<Outcome, Error> {
        let tape = self.tape(barcode, version)?;
        let claims = Claims::read(self.source)?;
        let mut walk = Walk::new(&tape, AHEAD);
        let mut files: Vec<FileLine> = Vec::new();
        let mut damage = Vec::new();
        let mut current: Option<(TapeFile, Option<String>)> = None;
        while let Some(item) = walk.next()? {
            if let Some((file, looks)) = current.take_if(|(file, _)| file.ends_before(&item)) {
                files.push(FileLine::new(&file, looks));
            }
            let is_first_block =
                matches!(item, Item::Block { .. }) && current.as_ref().is_none_or(|(file, _)| file.blocks == 0);
            let (file, looks) = current.get_or_insert_with(|| (TapeFile::begin(walk.file(), &item), None));
            file.add(&item);
            if is_first_block {
                match walk.payload()? {
                    Ok(block) => *looks = looks::like(&block),
                    Err(bad) => damage.push(bad),
                }
            }
            if let Item::Lost { damage: lost, .. } = item {
                damage.push(lost);
            }
        }
        files.extend(current.map(|(file, looks)| FileLine::new(&file, looks)));
        for each in &damage {
            self.damaged(each)?;
        }
        for remark in walk.remarks() {
            self.damaged(&remark)?;
            damage.push(remark);
        }
        let meta = tape.state.meta.as_ref();
        let contents = Contents {
            tape: TapeLine::of(&tape, &claims),
            capacity: meta.map(|meta| meta.capacity),
            segments: tape.layout.extents.len(),
            open: meta.is_some_and(|meta| meta.is_open),
            files,
            versions: meta.iter().flat_map(|meta| &meta.versions).map(VersionLine::new).collect(),
            clone_of: meta.iter().flat_map(|meta| &meta.origins).map(|origin| origin.barcode.clone()).collect(),
            damage,
        };
        self.answer(&contents, Contents::text)?;
        Ok(self.outcome)
    }
}

impl TapeLine {
    fn empty(barcode: &str) -> Self {
        Self {
            barcode: barcode.to_owned(),
            cartridge: None,
            gateway: None,
            blocks: 0,
            filemarks: 0,
            bytes: 0,
            delta: None,
            version: None,
            written: None,
            encrypted: false,
            write_protected: false,
            error: None,
        }
    }

    fn of(tape: &Tape<'_>, claims: &Claims) -> Self {
        let claim = claims.barcodes.get(&tape.name.barcode).filter(|claim| claim.cartridge == tape.name.cartridge);
        let end = tape.layout.end;
        Self {
            cartridge: Some(tape.name.cartridge.to_string()),
            gateway: claim.map(|claim| claims.gateway(claim.gateway)),
            blocks: end.objects.saturating_sub(end.filemarks),
            filemarks: end.filemarks,
            bytes: end.bytes,
            delta: Some(tape.state.number),
            version: tape.version.as_ref().map(|version| version.number),
            written: Some(text::utc(tape.state.written)),
            encrypted: tape.is_encrypted(),
            write_protected: tape.state.meta.as_ref().is_some_and(|meta| meta.is_protected),
            ..Self::empty(&tape.name.barcode)
        }
    }
}

impl FileLine {
    fn new(file: &TapeFile, looks_like: Option<String>) -> Self {
        Self {
            file: file.number,
            first_block: file.first,
            blocks: file.blocks,
            bytes: file.bytes,
            shortest_block: file.shortest,
            longest_block: file.longest,
            filemarks: file.filemarks,
            lost_objects: file.lost,
            looks_like,
        }
    }

    fn sizes(&self) -> String {
        match (self.blocks, self.shortest_block == self.longest_block) {
            (0, _) => "-".to_owned(),
            (_, true) => self.longest_block.to_string(),
            (_, false) => format!("{}-{}", self.shortest_block, self.longest_block),
        }
    }
}

impl VersionLine {
    fn new(version: &TapeVersion) -> Self {
        Self {
            version: version.number,
            until: text::utc(version.until),
            cause: match version.cause {
                Cause::Overwritten => "overwritten",
                Cause::RolledBack => "rolled back",
                Cause::Cloned => "cloned",
            },
            held: version.is_held,
            blocks: version.end.objects.saturating_sub(version.end.filemarks),
            filemarks: version.end.filemarks,
            bytes: version.end.bytes,
        }
    }

    fn row(&self) -> [String; 7] {
        [
            self.version.to_string(),
            self.until.clone(),
            self.cause.to_owned(),
            self.blocks.to_string(),
            self.filemarks.to_string(),
            self.bytes.to_string(),
            yes(self.held),
        ]
    }
}

impl Contents {
    fn text(&self) -> String {
        let tape = &self.tape;
        let lines = [
            ("barcode", tape.barcode.clone()),
            ("cartridge", dash(tape.cartridge.as_ref())),
            ("gateway", dash(tape.gateway.as_ref())),
            ("written", format!("{}, delta {}", dash(tape.written.as_ref()), dash(tape.delta.as_ref()))),
            ("encrypted", yes(tape.encrypted)),
            ("protected", yes(tape.write_protected)),
            ("segments", self.segments.to_string()),
            (
                "contents",
                format!(
                    "{}, {}, {}{}",
                    text::count(tape.blocks, "block"),
                    text::count(tape.filemarks, "filemark"),
                    text::count(tape.bytes, "byte"),
                    if self.open { "; it was being written" } else { "" }
                ),
            ),
        ];
        let clone = (!self.clone_of.is_empty()).then(|| ("clone of", self.clone_of.join(", ")));
        let version = tape.version.map(|version| ("version", version.to_string()));
        let lines = lines.into_iter().chain(version).chain(clone);
        let mut page: String = lines.map(|(name, value)| format!("{name:<10} {value}\n")).collect();
        let row = |file: &FileLine| {
            let lost = if file.lost_objects > 0 { format!("{} lost; ", file.lost_objects) } else { String::new() };
            [
                file.file.to_string(),
                file.first_block.to_string(),
                file.blocks.to_string(),
                file.bytes.to_string(),
                file.sizes(),
                file.filemarks.to_string(),
                lost + &file.looks_like.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        };
        let rows: Vec<_> = self.files.iter().map(row).collect();
        if !rows.is_empty() {
            let heads = ["FILE", "FIRST BLOCK", "BLOCKS", "BYTES", "BLOCK SIZES", "FILEMARKS", "LOOKS LIKE"];
            page.push('\n');
            page += &text::table(heads, &["FILE", "FIRST BLOCK", "BLOCKS", "BYTES", "FILEMARKS"], &rows);
        }
        if !self.versions.is_empty() {
            let heads = ["VERSION", "UNTIL", "THEN", "BLOCKS", "FILEMARKS", "BYTES", "HELD"];
            let rows: Vec<_> = self.versions.iter().map(VersionLine::row).collect();
            page.push('\n');
            page += &text::table(heads, &["VERSION", "BLOCKS", "FILEMARKS", "BYTES"], &rows);
        }
        page
    }
}

fn list(lines: &[TapeLine], place: &str) -> String {
    if lines.is_empty() {
        return format!("no tape is in {place}\n");
    }
    let heads = ["BARCODE", "CARTRIDGE", "GATEWAY", "BLOCKS", "FILEMARKS", "BYTES", "WRITTEN", "ENCRYPTED"];
    let row = |line: &TapeLine| {
        [
            line.barcode.clone(),
            dash(line.cartridge.as_ref()),
            dash(line.gateway.as_ref()),
            line.blocks.to_string(),
            line.filemarks.to_string(),
            line.bytes.to_string(),
            line.error.clone().unwrap_or_else(|| dash(line.written.as_ref())),
            yes(line.encrypted),
        ]
    };
    text::table(heads, &["BLOCKS", "FILEMARKS", "BYTES"], &lines.iter().map(row).collect::<Vec<_>>())
}

fn dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
