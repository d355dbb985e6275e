//! The whole file system, and which call fails.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::path::{Component, Path};

use super::content::Content;
use super::names::{Inode, Names, ROOT};
use super::{Loss, SimFault};
use crate::Entry;

/// xorshift64*.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(bits).unwrap_or_default() % limit.max(1)
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new(1)
    }
}

#[derive(Default, Debug)]
pub(super) struct State {
    names: Names,
    files: BTreeMap<Inode, Content>,
    last_inode: Inode,
    chance: Chance,
    is_off: bool,
    pub(super) calls: u64,
    pub(super) synchronisations: Vec<u64>,
    pub(super) faults: BTreeMap<u64, SimFault>,
    pub(super) space: Option<u64>,
    /// Grows with each restart.
    pub(super) generation: u64,
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

impl State {
    pub(super) fn restart(&mut self, loss: Loss) {
        self.chance = match loss {
            Loss::Random(seed) => Chance::new(seed),
            Loss::All | Loss::Nothing => Chance::default(),
        };
        match loss {
            Loss::All => self.names.lose_power(|| false),
            Loss::Nothing => {}
            Loss::Random(_) => self.names.lose_some(&mut self.chance),
        }
        for content in self.files.values_mut() {
            match loss {
                Loss::All => content.lose_all(),
                Loss::Nothing => {}
                Loss::Random(_) => content.lose_power(&mut self.chance),
            }
        }
        self.faults.clear();
        self.is_off = false;
        self.generation += 1;
    }

    /// Bytes in all files that have a name.
    pub(super) fn used(&self) -> u64 {
        let named = self.names.inodes();
        self.files
            .iter()
            .filter(|(inode, _)| named.contains(inode))
            .map(|(_, content)| wide(content.cached.len()))
            .sum()
    }

    fn check_power(&self) -> io::Result<()> {
        if self.is_off { Err(power_is_off()) } else { Ok(()) }
    }

    /// Counts a call; gives the fault that it is to meet.
    fn call(&mut self) -> io::Result<Option<SimFault>> {
        self.check_power()?;
        self.calls += 1;
        match self.faults.get(&self.calls).copied() {
            Some(SimFault::PowerOff) => {
                self.is_off = true;
                Err(power_is_off())
            }
            fault => Ok(fault),
        }
    }

    /// As [`State::call`], for calls that come through or do not.
    fn whole_call(&mut self) -> io::Result<()> {
        match self.call()? {
            Some(SimFault::NoSpace) => Err(ErrorKind::StorageFull.into()),
            Some(_) => Err(io::Error::other("injected fault")),
            None => Ok(()),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<Inode> {
        let mut at = ROOT;
        for component in path.components() {
            if let Component::Normal(name) = component {
                let directory = self.names.directory(at).ok_or(ErrorKind::NotADirectory)?;
                at = *directory.get(name.to_string_lossy().as_ref()).ok_or(ErrorKind::NotFound)?;
            }
        }
        Ok(at)
    }

    /// The directory that a path is in, and its name there.
    fn parent(&self, path: &Path) -> io::Result<(Inode, String)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
        let directory = self.resolve(path.parent().unwrap_or(Path::new("/")))?;
        self.names.directory(directory).ok_or(ErrorKind::NotADirectory)?;
        Ok((directory, name))
    }

    fn add(&mut self, path: &Path, is_directory: bool) -> io::Result<Inode> {
        let (directory, name) = self.parent(path)?;
        if self.resolve(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.whole_call()?;
        self.last_inode += 1;
        self.names.add(directory, &name, self.last_inode, is_directory);
        Ok(self.last_inode)
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<Inode> {
        self.check_power()?;
        let inode = self.add(path, false)?;
        self.files.insert(inode, Content::default());
        Ok(inode)
    }

    pub(super) fn create_directory(&mut self, path: &Path) -> io::Result<()> {
        self.check_power()?;
        self.add(path, true).map(drop)
    }

    pub(super) fn file_at(&mut self, path: &Path) -> io::Result<Inode> {
        self.check_power()?;
        let inode = self.resolve(path)?;
        if self.files.contains_key(&inode) { Ok(inode) } else { Err(ErrorKind::IsADirectory.into()) }
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.check_power()?;
        let directory = self.names.directory(self.resolve(path)?).ok_or(ErrorKind::NotADirectory)?;
        let entry = |(name, inode): (&String, &Inode)| Entry {
            name: name.clone(),
            is_directory: self.names.directory(*inode).is_some(),
        };
        Ok(directory.iter().map(entry).collect())
    }

    pub(super) fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        self.check_power()?;
        let inode = self.resolve(path)?;
        self.whole_call()?;
        self.synchronisations.push(self.calls);
        self.names.sync(inode);
        let named = self.names.inodes_anywhere();
        self.files.retain(|inode, _| named.contains(inode));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.check_power()?;
        let inode = self.resolve(from)?;
        let (from, to) = (self.parent(from)?, self.parent(to)?);
        self.whole_call()?;
        self.names.rename(from, to, inode);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path, is_directory: bool) -> io::Result<()> {
        self.check_power()?;
        let directory = self.names.directory(self.resolve(path)?);
        match directory {
            Some(names) if is_directory && !names.is_empty() => return Err(ErrorKind::DirectoryNotEmpty.into()),
            Some(_) if !is_directory => return Err(ErrorKind::IsADirectory.into()),
            None if is_directory => return Err(ErrorKind::NotADirectory.into()),
            Some(_) | None => {}
        }
        let (parent, name) = self.parent(path)?;
        self.whole_call()?;
        self.names.remove(parent, &name);
        Ok(())
    }

    pub(super) fn length_at(&self, path: &Path) -> io::Result<u64> {
        self.check_power()?;
        let inode = self.resolve(path)?;
        Ok(self.files.get(&inode).map_or(0, |content| wide(content.cached.len())))
    }

    fn file(&mut self, inode: Inode) -> io::Result<&mut Content> {
        self.files.get_mut(&inode).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(super) fn write(&mut self, inode: Inode, parts: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
        let fault = self.call()?;
        if fault == Some(SimFault::Io) {
            return Err(io::Error::other("injected fault"));
        }
        let bytes = parts.iter().map(|part| &**part).collect::<Vec<&[u8]>>().concat();
        let mut room = self.space.map_or(usize::MAX, |space| narrow(space.saturating_sub(self.used())));
        if fault == Some(SimFault::NoSpace) {
            room = room.min(self.chance.below(bytes.len()));
        }
        let offset = narrow(offset);
        let content = self.file(inode)?;
        let overwritten = content.cached.len().saturating_sub(offset);
        let length = bytes.len().min(room.saturating_add(overwritten));
        if length == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        content.write(bytes.get(..length).unwrap_or_default(), offset);
        if fault == Some(SimFault::NoSpace) {
            // A second call would find room again; the fault is to be met.
            self.faults.insert(self.calls + 1, SimFault::NoSpace);
        }
        Ok(length)
    }

    pub(super) fn read(&mut self, inode: Inode, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        self.check_power()?;
        let content = self.file(inode)?;
        let mut rest = content.cached.get(narrow(offset)..).unwrap_or_default();
        let mut read = 0;
        for part in parts {
            let (now, later) = rest.split_at(rest.len().min(part.len()));
            if let Some(part) = part.get_mut(..now.len()) {
                part.copy_from_slice(now);
            }
            read += now.len();
            rest = later;
        }
        Ok(read)
    }

    pub(super) fn sync_file(&mut self, inode: Inode) -> io::Result<()> {
        let fault = self.call()?;
        let mut chance = self.chance.clone();
        let call = self.calls;
        let content = self.file(inode)?;
        if fault.is_some() {
            content.fail_sync(&mut chance);
            return Err(io::Error::other("injected fault"));
        }
        content.sync();
        self.synchronisations.push(call);
        Ok(())
    }

    pub(super) fn truncate(&mut self, inode: Inode, length: u64) -> io::Result<()> {
        self.whole_call()?;
        self.file(inode)?.truncate(narrow(length));
        Ok(())
    }

    pub(super) fn length(&mut self, inode: Inode) -> io::Result<u64> {
        self.check_power()?;
        Ok(wide(self.file(inode)?.cached.len()))
    }

    pub(super) fn forget_cache(&mut self, inode: Inode) -> io::Result<()> {
        self.check_power()?;
        self.file(inode)?.forget_cache();
        Ok(())
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn narrow(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
