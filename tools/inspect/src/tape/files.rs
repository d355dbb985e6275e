//! Files of a tape: what is between filemarks.

use super::Item;

/// Blocks that follow each other without a filemark, and the filemarks behind them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TapeFile {
    /// How many filemarks are before it.
    pub(crate) number: u64,
    /// The first of its blocks, as `mt tell` numbers them.
    pub(crate) first: u64,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// The shortest and the longest block.
    pub(crate) shortest: u64,
    pub(crate) longest: u64,
    /// Objects that cannot be told.
    pub(crate) lost: u64,
    /// Filemarks that follow before the next block.
    pub(crate) filemarks: u64,
}

impl TapeFile {
    /// Whether an item that comes next belongs to another file.
    pub(crate) fn ends_before(&self, item: &Item) -> bool {
        self.filemarks > 0 && !matches!(item, Item::Filemarks { .. })
    }

    pub(crate) fn begin(number: u64, item: &Item) -> Self {
        Self { number, first: item.objects().0, ..Self::default() }
    }

    pub(crate) fn add(&mut self, item: &Item) {
        match *item {
            Item::Block { length, .. } => {
                self.shortest = if self.blocks == 0 { length } else { self.shortest.min(length) };
                self.longest = self.longest.max(length);
                self.blocks += 1;
                self.bytes += length;
            }
            Item::Filemarks { count, .. } => self.filemarks += count,
            // What is lost with its filemarks ends the file as far as anybody can tell.
            Item::Lost { count, filemarks, .. } => {
                self.lost += count - filemarks.min(count);
                self.filemarks += filemarks;
            }
        }
    }
}
