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

    /// Loses what chance does not keep.
    pub(super) fn lose_power(&mut self, chance: &mut Chance) {
        for page in std::mem::take(&mut self.dirty) {
            match chance.below(5) {
                0 | 1 => self.write_back(page, PAGE),
                2 => self.write_back(page, SECTOR * (1 + chance.below(7))),
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

    /// Writes the beginning of a page to the disk.
    fn write_back(&mut self, page: usize, length: usize) {
        let begin = page * PAGE;
        let end = self.cached.len().min(begin + length);
        if self.stable.len() < end {
            self.stable.resize(end, 0);
        }
        if let (Some(from), Some(to)) = (self.cached.get(begin..end), self.stable.get_mut(begin..end)) {
            to.copy_from_slice(from);
        }
    }
}
