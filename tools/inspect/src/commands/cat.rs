//! `cat`: blocks of a tape, one after the other.

use super::Session;
use crate::cli::{Cat, Outcome};
use crate::error::Error;
use crate::tape::{Item, Walk};

/// Plain bytes that are fetched at once.
pub(super) const AHEAD: u64 = 8 << 20;

impl Session<'_> {
    pub(crate) fn cat(&mut self, cat: &Cat) -> Result<Outcome, Error> {
        let tape = self.tape(&cat.barcode, &cat.version)?;
        let from = cat.from.unwrap_or(0);
        let to = cat.to.unwrap_or(u64::MAX);
        let end = tape.layout.end;
        if from > end.objects || cat.file.is_some_and(|file| file > end.filemarks) {
            let what = format!("{} ends at block {}, file {}", cat.barcode, end.objects, end.filemarks);
            return Err(Error::Absent(what));
        }
        let mut walk = Walk::new(&tape, AHEAD);
        walk.skip_to(from, cat.file.unwrap_or(0));
        while let Some(item) = walk.next()? {
            let (first, count) = item.objects();
            if first >= to || cat.file.is_some_and(|file| walk.file() > file) {
                break;
            }
            let is_wanted = first.saturating_add(count) > from && cat.file.is_none_or(|file| walk.file() == file);
            if !is_wanted {
                continue;
            }
            let damage = match item {
                Item::Filemarks { .. } => continue,
                Item::Block { .. } => match walk.payload()? {
                    Ok(block) => {
                        self.output.write_all(&block)?;
                        continue;
                    }
                    Err(damage) => damage,
                },
                Item::Lost { damage, .. } => damage,
            };
            if !cat.skip_damaged {
                writeln!(
                    self.notes,
                    "note: ended at block {first}, which is damaged; --skip-damaged goes on behind it"
                )?;
                return Err(damage.into());
            }
            self.damaged(&damage)?;
        }
        // Damage that costs nothing of what was asked for is told, and no failure.
        for damage in walk.remarks() {
            writeln!(self.notes, "note: {damage}")?;
        }
        Ok(self.outcome)
    }
}
