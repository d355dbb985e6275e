//! The whole file system, and which call fails.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::path::{Component, Path};

use super::Loss;
use super::content::Content;
use super::fault::{Faults, SimCall, SimFault};
use super::names::{Inode, Names, ROOT};
use crate::Entry;

/// xorshift64*.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
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
    /// How often each file is open.
    open: BTreeMap<Inode, usize>,
    last_inode: Inode,
    pub(super) chance: Chance,
    pub(super) is_off: bool,
    pub(super) calls: u64,
    pub(super) reads: u64,
    pub(super) synchronisations: Vec<u64>,
    pub(super) faults: Faults,
    pub(super) read_faults: Faults,
    pub(super) space: Option<u64>,
    /// Grows with each restart.
    pub(super) generation: u64,
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn injected() -> io::Error {
    io::Error::other("injected fault")
}

impl State {
    pub(super) fn restart(&mut self, loss: Loss) {
        if let Loss::Random(seed) = loss {
            self.chance = Chance::new(seed);
        }
        match loss {
            Loss::All | Loss::Names => self.names.lose_power(|| false),
            Loss::Nothing => {}
            Loss::Pages => self.names.lose_power(|| true),
            Loss::Random(_) => self.names.lose_some(&mut self.chance),
        }
        for content in self.files.values_mut() {
            match loss {
                Loss::All => content.lose_all(),
                Loss::Nothing => {}
                Loss::Names => content.keep_all(),
                Loss::Pages => content.lose_pages(),
                Loss::Random(_) => content.lose_power(&mut self.chance),
            }
        }
        self.faults.forget();
        self.read_faults.forget();
        self.is_off = false;
        self.open.clear();
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
    fn call(&mut self, call: SimCall, path: &Path) -> io::Result<Option<SimFault>> {
        self.check_power()?;
        let (number, faults) = if call.is_counted() {
            (&mut self.calls, &mut self.faults)
        } else {
            (&mut self.reads, &mut self.read_faults)
        };
        *number += 1;
        match faults.meet(*number, call, &path.to_string_lossy()) {
            Some(SimFault::PowerOff) => {
                self.is_off = true;
                Err(power_is_off())
            }
            fault => Ok(fault),
        }
    }

    /// As [`State::call`], on an open file.
    fn file_call(&mut self, call: SimCall, inode: Inode) -> io::Result<Option<SimFault>> {
        let faults = if call.is_counted() { &self.faults } else { &self.read_faults };
        let path = if faults.ask_paths() { self.names.path_of(inode) } else { None };
        self.call(call, Path::new(path.as_deref().unwrap_or_default()))
    }

    /// As [`State::call`], for calls that come through or do not.
    fn whole_call(&mut self, call: SimCall, path: &Path) -> io::Result<()> {
        Self::whole(self.call(call, path)?)
    }

    fn whole(fault: Option<SimFault>) -> io::Result<()> {
        match fault {
            Some(SimFault::NoSpace) => Err(ErrorKind::StorageFull.into()),
            None | Some(SimFault::Short) => Ok(()),
            Some(SimFault::Io | SimFault::PowerOff) => Err(injected()),
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
        self.whole_call(if is_directory { SimCall::CreateDirectory } else { SimCall::Create }, path)?;
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
        self.whole_call(SimCall::Open, path)?;
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
        self.whole_call(SimCall::SyncDirectory, path)?;
        self.synchronisations.push(self.calls);
        self.names.sync(inode);
        let named = self.names.inodes_anywhere();
        self.files.retain(|inode, _| named.contains(inode) || self.open.contains_key(inode));
        Ok(())
    }

    /// A file without a name is there as long as it is open.
    pub(super) fn opened(&mut self, inode: Inode) {
        *self.open.entry(inode).or_default() += 1;
    }

    pub(super) fn closed(&mut self, inode: Inode) {
        if let Some(count) = self.open.get_mut(&inode) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&inode);
            }
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.check_power()?;
        let inode = self.resolve(from)?;
        let (old, new) = (self.parent(from)?, self.parent(to)?);
        self.whole_call(SimCall::Rename, to)?;
        self.names.rename(old, new, inode);
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
        self.whole_call(SimCall::Remove, path)?;
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
        let fault = self.file_call(SimCall::Write, inode)?;
        let bytes = parts.iter().map(|part| &**part).collect::<Vec<&[u8]>>().concat();
        let mut room = self.space.map_or(usize::MAX, |space| narrow(space.saturating_sub(self.used())));
        let offset = narrow(offset);
        let overwritten = self.file(inode)?.cached.len().saturating_sub(offset);
        room = room.saturating_add(overwritten);
        match fault {
            Some(SimFault::NoSpace) => room = room.min(self.chance.below(bytes.len())),
            Some(SimFault::Io) => room = room.min(self.chance.below(bytes.len() + 1)),
            Some(SimFault::Short) => room = room.min(1 + self.chance.below(bytes.len().saturating_sub(1))),
            Some(SimFault::PowerOff) | None => {}
        }
        let length = bytes.len().min(room);
        if fault != Some(SimFault::Io) && length == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        self.file(inode)?.write(bytes.get(..length).unwrap_or_default(), offset);
        match fault {
            Some(SimFault::Io) => return Err(injected()),
            Some(SimFault::NoSpace) => self.refuse_the_rest(inode),
            Some(SimFault::Short | SimFault::PowerOff) | None => {}
        }
        Ok(length)
    }

    /// A second call would find room again; the fault is to be met.
    fn refuse_the_rest(&mut self, inode: Inode) {
        let path = if self.faults.ask_paths() { self.names.path_of(inode) } else { None };
        match path {
            Some(path) => self.faults.on(SimCall::Write, &path, SimFault::NoSpace, false),
            None => self.faults.at(self.calls + 1, SimFault::NoSpace),
        }
    }

    pub(super) fn read(&mut self, inode: Inode, parts: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
        let fault = self.file_call(SimCall::Read, inode)?;
        Self::whole(fault)?;
        let limit = if fault == Some(SimFault::Short) { 1 } else { usize::MAX };
        let content = self.file(inode)?;
        let mut rest = content.cached.get(narrow(offset)..).unwrap_or_default();
        rest = rest.get(..rest.len().min(limit)).unwrap_or_default();
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
        let fault = self.file_call(SimCall::Sync, inode)?;
        let call = self.calls;
        if let Err(error) = Self::whole(fault) {
            let mut chance = self.chance.clone();
            self.file(inode)?.fail_sync(&mut chance);
            self.chance = chance;
            return Err(error);
        }
        self.file(inode)?.sync();
        self.synchronisations.push(call);
        Ok(())
    }

    pub(super) fn truncate(&mut self, inode: Inode, length: u64) -> io::Result<()> {
        let fault = self.file_call(SimCall::Truncate, inode)?;
        Self::whole(fault)?;
        self.file(inode)?.truncate(narrow(length));
        Ok(())
    }

    /// Turns bits of a byte of a file round.
    pub(super) fn flip(&mut self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let inode = self.resolve(path)?;
        let found = self.file(inode)?.flip(narrow(offset), mask);
        if found { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
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
