//! The bytes of a file: what the kernel shows, and what the disk holds.

use std::collections::BTreeSet;

use super::state::Chance;

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// The bytes of a file.
#[derive(Clone, Default, Debug)]
pub(super) struct Content {
    /// What reads show.
    pub(super) cached: Vec<u8>,
    stable: Vec<u8>,
    /// Pages in which the two may differ and which a synchronisation would write.
    dirty: BTreeSet<usize>,
}

impl Content {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.cached.len() < end {
            self.cached.resize(end, 0);
        }
        if let Some(range) = self.cached.get_mut(offset..end) {
            range.copy_from_slice(bytes);
        }
        self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
    }

    pub(super) fn truncate(&mut self, length: usize) {
        let before = self.cached.len();
        self.cached.resize(length, 0);
        self.dirty.extend(before.min(length) / PAGE..before.max(length).div_ceil(PAGE));
    }

    pub(super) fn sync(&mut self) {
        let pages = std::mem::take(&mut self.dirty);
        self.stable.resize(self.cached.len(), 0);
        for page in pages {
            self.write_back(page, PAGE);
        }
    }

    /// As Linux does it: the pages count as written, and some of them are.
    pub(super) fn fail_sync(&mut self, chance: &mut Chance) {
        for page in std::mem::take(&mut self.dirty) {
            if chance.one_in(4) {
                self.write_back(page, PAGE);
            }
        }
    }

    /// Shows what the disk holds where no page is dirty.
    pub(super) fn forget_cache(&mut self) {
        for page in 0..self.cached.len().div_ceil(PAGE) {
            if !self.dirty.contains(&page) {
                let (begin, end) = (page * PAGE, self.cached.len().min((page + 1) * PAGE));
                let held = self.stable.get(begin..end.min(self.stable.len())).unwrap_or_default();
                if let Some(cached) = self.cached.get_mut(begin..end) {
                    let (shown, zero) = cached.split_at_mut(held.len());
                    shown.copy_from_slice(held);
                    zero.fill(0);
                }
            }
        }
    }

    /// Loses what chance does not keep. A page that is torn keeps any of its sectors.
    pub(super) fn lose_power(&mut self, chance: &mut Chance) {
        for page in std::mem::take(&mut self.dirty) {
            match chance.below(5) {
                0 | 1 => self.write_back(page, PAGE),
                2 => self.write_back(page, SECTOR * (1 + chance.below(7))),
                3 => (0..PAGE / SECTOR).for_each(|sector| {
                    if chance.one_in(2) {
                        self.write_back_range(page * PAGE + sector * SECTOR, SECTOR);
                    }
                }),
                _ => {}
            }
        }
        // The length is metadata of its own: it may be written without the pages, which are zero then.
        match chance.below(3) {
            0 => self.stable.resize(self.cached.len(), 0),
            1 => self.stable.truncate(self.cached.len()),
            _ => {}
        }
        self.cached.clone_from(&self.stable);
    }

    pub(super) fn lose_all(&mut self) {
        self.dirty.clear();
        self.cached.clone_from(&self.stable);
    }

    /// Keeps the length, which a journal may have written, and of the pages none: those that were new are zero.
    pub(super) fn lose_pages(&mut self) {
        self.dirty.clear();
        self.stable.resize(self.cached.len(), 0);
        self.cached.clone_from(&self.stable);
    }

    /// All of it is on the disk, as after a quiet hour.
    pub(super) fn keep_all(&mut self) {
        self.sync();
    }

    /// Turns a bit round, on the disk and in the cache.
    pub(super) fn flip(&mut self, offset: usize, mask: u8) -> bool {
        let mut found = false;
        for bytes in [&mut self.cached, &mut self.stable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= mask;
                found = true;
            }
        }
        found
    }

    /// Writes the beginning of a page to the disk.
    fn write_back(&mut self, page: usize, length: usize) {
        self.write_back_range(page * PAGE, length);
    }

    fn write_back_range(&mut self, begin: usize, length: usize) {
        let end = self.cached.len().min(begin + length);
        if begin >= end {
            return;
        }
        if self.stable.len() < end {
            self.stable.resize(end, 0);
        }
        if let (Some(from), Some(to)) = (self.cached.get(begin..end), self.stable.get_mut(begin..end)) {
            to.copy_from_slice(from);
        }
    }
}
