//! Directories: what the kernel shows, what the disk holds, and the changes in between.

use std::collections::{BTreeMap, BTreeSet};

use super::state::Chance;

/// Number of a file or directory.
pub(super) type Inode = usize;

/// The names in one directory.
pub(super) type Directory = BTreeMap<String, Inode>;

/// All directories.
#[derive(Clone, Debug)]
pub(super) struct Names {
    cached: BTreeMap<Inode, Directory>,
    stable: BTreeMap<Inode, Directory>,
    /// In the order in which they were made.
    unsynced: Vec<Change>,
}

/// A change that survives as a whole or not at all.
#[derive(Clone, Debug)]
enum Change {
    Add { directory: Inode, name: String, inode: Inode },
    Remove { directory: Inode, name: String },
    Move { from: (Inode, String), to: (Inode, String), inode: Inode },
}

pub(super) const ROOT: Inode = 0;

impl Default for Names {
    fn default() -> Self {
        let root = BTreeMap::from([(ROOT, Directory::new())]);
        Self { cached: root.clone(), stable: root, unsynced: Vec::new() }
    }
}

impl Names {
    pub(super) fn directory(&self, inode: Inode) -> Option<&Directory> {
        self.cached.get(&inode)
    }

    /// All that has a name.
    pub(super) fn inodes(&self) -> BTreeSet<Inode> {
        self.cached.values().flat_map(|names| names.values().copied()).collect()
    }

    /// All that has a name, or had or may get one on the disk.
    pub(super) fn inodes_anywhere(&self) -> BTreeSet<Inode> {
        let stable = self.stable.values().flat_map(|names| names.values().copied());
        let unsynced = self.unsynced.iter().filter_map(|change| match change {
            Change::Add { inode, .. } | Change::Move { inode, .. } => Some(*inode),
            Change::Remove { .. } => None,
        });
        self.inodes().into_iter().chain(stable).chain(unsynced).collect()
    }

    pub(super) fn add(&mut self, directory: Inode, name: &str, inode: Inode, is_directory: bool) {
        if is_directory {
            self.cached.insert(inode, Directory::new());
            self.stable.insert(inode, Directory::new());
        }
        self.change(Change::Add { directory, name: name.to_owned(), inode });
    }

    pub(super) fn remove(&mut self, directory: Inode, name: &str) {
        self.change(Change::Remove { directory, name: name.to_owned() });
    }

    pub(super) fn rename(&mut self, from: (Inode, String), to: (Inode, String), inode: Inode) {
        self.change(Change::Move { from, to, inode });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.unsynced.push(change);
    }

    /// A path that a file has, for faults that are chosen by it.
    pub(super) fn path_of(&self, inode: Inode) -> Option<String> {
        let mut path = String::new();
        let mut at = inode;
        while at != ROOT {
            let mut holders = self.cached.iter();
            let (holder, name) = holders.find_map(|(directory, names)| {
                names.iter().find(|(_, named)| **named == at).map(|(name, _)| (*directory, name))
            })?;
            path = format!("/{name}{path}");
            at = holder;
        }
        Some(path)
    }

    pub(super) fn sync(&mut self, directory: Inode) {
        self.unsynced = self.settle(|change| change.touches(directory));
    }

    pub(super) fn lose_power(&mut self, mut keep: impl FnMut() -> bool) {
        self.settle(|_| keep());
        self.unsynced.clear();
        self.cached.clone_from(&self.stable);
    }

    /// Makes the changes that `keep` wants durable, and those before them that concern the same names: a journal
    /// does not turn these round. Gives the others.
    fn settle(&mut self, mut keep: impl FnMut(&Change) -> bool) -> Vec<Change> {
        let mut names = BTreeSet::new();
        let mut kept = Vec::new();
        let mut others = Vec::new();
        for change in std::mem::take(&mut self.unsynced).into_iter().rev() {
            let concerned = change.names();
            if keep(&change) || concerned.iter().any(|name| names.contains(name)) {
                names.extend(concerned);
                kept.push(change);
            } else {
                others.push(change);
            }
        }
        for change in kept.iter().rev() {
            change.apply(&mut self.stable);
        }
        others.reverse();
        others
    }

    /// As [`Names::lose_power`], by chance.
    pub(super) fn lose_some(&mut self, chance: &mut Chance) {
        self.lose_power(|| chance.one_in(2));
    }
}

impl Change {
    fn touches(&self, inode: Inode) -> bool {
        match self {
            Self::Add { directory, .. } | Self::Remove { directory, .. } => *directory == inode,
            Self::Move { from, to, .. } => from.0 == inode || to.0 == inode,
        }
    }

    fn names(&self) -> Vec<(Inode, String)> {
        match self {
            Self::Add { directory, name, .. } | Self::Remove { directory, name } => vec![(*directory, name.clone())],
            Self::Move { from, to, .. } => vec![from.clone(), to.clone()],
        }
    }

    fn apply(&self, directories: &mut BTreeMap<Inode, Directory>) {
        let mut set = |directory: Inode, name: &str, inode: Option<Inode>| {
            let names = directories.entry(directory).or_default();
            match inode {
                Some(inode) => names.insert(name.to_owned(), inode),
                None => names.remove(name),
            };
        };
        match self {
            Self::Add { directory, name, inode } => set(*directory, name, Some(*inode)),
            Self::Remove { directory, name } => set(*directory, name, None),
            Self::Move { from, to, inode } => {
                set(from.0, &from.1, None);
                set(to.0, &to.1, Some(*inode));
            }
        }
    }
}
