//! Which calls fail, and how.

use std::collections::BTreeMap;

/// What a call comes to instead of success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SimFault {
    /// The power goes: this call and all later ones fail until [`super::SimDisk::restart`].
    PowerOff,
    /// An I/O error. Of a synchronisation: the pages are clean and lost afterwards. Of a write: any part of it may have
    /// come through.
    Io,
    /// The file system is full. A write comes through in part, and fails when the rest is tried.
    NoSpace,
    /// A write comes through in part and says so, as after a signal; nothing else is the matter.
    Short,
}

/// A kind of call, for faults that are chosen by kind and path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SimCall {
    /// A file is opened that must exist.
    Open,
    /// A file is made.
    Create,
    /// Bytes are written.
    Write,
    /// Bytes are read.
    Read,
    /// A file is synchronised.
    Sync,
    /// A file is cut.
    Truncate,
    /// A directory is made.
    CreateDirectory,
    /// A directory is synchronised.
    SyncDirectory,
    /// A name changes.
    Rename,
    /// A file or a directory is removed.
    Remove,
}

impl SimCall {
    /// It changes or synchronises something: it is counted, and may be chosen by number.
    pub(super) fn is_counted(self) -> bool {
        !matches!(self, Self::Open | Self::Read)
    }
}

/// Faults to come.
#[derive(Default, Debug)]
pub(super) struct Faults {
    by_number: BTreeMap<u64, SimFault>,
    by_path: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    call: SimCall,
    path: String,
    fault: SimFault,
    /// Every such call meets it, until the faults are forgotten.
    lasting: bool,
}

impl Faults {
    pub(super) fn at(&mut self, number: u64, fault: SimFault) {
        self.by_number.insert(number, fault);
    }

    pub(super) fn on(&mut self, call: SimCall, path: &str, fault: SimFault, lasting: bool) {
        self.by_path.push(Rule { call, path: path.to_owned(), fault, lasting });
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The path of a call has to be found out.
    pub(super) fn ask_paths(&self) -> bool {
        !self.by_path.is_empty()
    }

    /// The fault that a call meets.
    pub(super) fn meet(&mut self, number: u64, call: SimCall, path: &str) -> Option<SimFault> {
        if let Some(fault) = self.by_number.get(&number) {
            return Some(*fault);
        }
        let at = self.by_path.iter().position(|rule| rule.call == call && path.contains(&rule.path))?;
        let Rule { fault, lasting, .. } = self.by_path.get(at)?;
        let (fault, lasting) = (*fault, *lasting);
        if !lasting {
            self.by_path.remove(at);
        }
        Some(fault)
    }
}
