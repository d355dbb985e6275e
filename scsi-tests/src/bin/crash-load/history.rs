//! What a cartridge may hold: every state that it went through since the last one that is sure.
//!
//! A tape changes in two ways: objects are appended, and it is cut. Between two cuts all states are prefixes of one
//! list, so a history is a row of branches, each a list with the length from which on its prefixes are states. An
//! operation that makes everything before it sure (any that is answered, where a process dies; a recovery point, where
//! the power goes) pins the history: what comes before its step can no longer be found.

/// An object on tape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Object {
    Filemark,
    Block { serial: u64, length: u32 },
}

/// Every state that may be found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct History {
    /// Never empty; the last one is what the host believes.
    branches: Vec<Branch>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Branch {
    objects: Vec<Object>,
    /// Shorter prefixes are no states of this branch.
    floor: usize,
    steps: Vec<Step>,
}

/// An operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    op: u64,
    /// How long the tape was after it.
    length: usize,
    /// It changed the tape.
    changes: bool,
}

/// What became of the operations that changed the tape and were not sure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Settled {
    pub(crate) unsure: u64,
    pub(crate) kept: u64,
}

impl History {
    /// One state.
    pub(crate) fn settled(objects: Vec<Object>) -> Self {
        let floor = objects.len();
        Self { branches: vec![Branch { objects, floor, steps: Vec::new() }] }
    }

    /// What the host believes.
    pub(crate) fn present(&self) -> &[Object] {
        self.branches.last().map(|branch| branch.objects.as_slice()).unwrap_or_default()
    }

    /// Objects are written at `at`; what was behind it is gone. The cut itself is a state too.
    pub(crate) fn put(&mut self, op: u64, at: usize, objects: impl Iterator<Item = Object>) {
        let last = self.present();
        if at < last.len() {
            let kept = last.get(..at).unwrap_or_default().to_vec();
            self.branches.push(Branch { objects: kept, floor: at, steps: Vec::new() });
        }
        if let Some(branch) = self.branches.last_mut() {
            branch.objects.extend(objects);
            branch.steps.push(Step { op, length: branch.objects.len(), changes: true });
        }
    }

    /// An operation that changes nothing, and may pin.
    pub(crate) fn step(&mut self, op: u64) {
        if let Some(branch) = self.branches.last_mut() {
            branch.steps.push(Step { op, length: branch.objects.len(), changes: false });
        }
    }

    /// The state after `op` is sure: nothing before it can be found.
    pub(crate) fn pin(&mut self, op: u64) {
        let step_of = |branch: &Branch| branch.steps.iter().rev().find(|step| step.op == op).copied();
        let Some((index, Step { length, .. })) =
            self.branches.iter().enumerate().rev().find_map(|(index, branch)| Some((index, step_of(branch)?)))
        else {
            return;
        };
        self.branches.drain(..index);
        if let Some(branch) = self.branches.first_mut() {
            branch.floor = branch.floor.max(length);
            branch.steps.retain(|step| step.op > op);
        }
    }

    /// Begins to compare with what is on the tape.
    pub(crate) fn matching(&self) -> Matching<'_> {
        Matching { history: self, viable: (0..self.branches.len()).collect(), seen: 0 }
    }
}

/// The branches that agree with the objects seen so far.
pub(crate) struct Matching<'a> {
    history: &'a History,
    viable: Vec<usize>,
    seen: usize,
}

impl Matching<'_> {
    /// How many objects were seen.
    pub(crate) fn seen(&self) -> usize {
        self.seen
    }

    /// What may come next, each once.
    pub(crate) fn candidates(&self) -> Vec<Object> {
        let mut candidates = Vec::new();
        for object in self.branches().filter_map(|branch| branch.objects.get(self.seen)) {
            if !candidates.contains(object) {
                candidates.push(*object);
            }
        }
        candidates
    }

    /// One of the candidates was found.
    pub(crate) fn found(&mut self, object: Object) {
        let (history, seen) = (self.history, self.seen);
        self.viable.retain(|index| {
            history.branches.get(*index).is_some_and(|branch| branch.objects.get(seen) == Some(&object))
        });
        self.seen += 1;
    }

    /// The tape ends here: the state that it is in, or what would have been possible.
    pub(crate) fn end(self) -> Result<(Vec<Object>, Settled), String> {
        let is_state = |branch: &Branch| (branch.floor..=branch.objects.len()).contains(&self.seen);
        let matched =
            self.viable.iter().copied().filter(|index| self.history.branches.get(*index).is_some_and(is_state)).max();
        let Some(matched) = matched else { return Err(self.possible()) };
        let mut settled = Settled::default();
        for (index, branch) in self.history.branches.iter().enumerate() {
            for step in branch.steps.iter().filter(|step| step.changes) {
                settled.unsure += 1;
                settled.kept += u64::from(index < matched || (index == matched && step.length <= self.seen));
            }
        }
        let objects = self.history.branches.get(matched).and_then(|branch| branch.objects.get(..self.seen));
        Ok((objects.unwrap_or_default().to_vec(), settled))
    }

    /// The lengths that would have been possible.
    pub(crate) fn possible(&self) -> String {
        let lengths: Vec<String> =
            self.branches().map(|branch| format!("{} to {} objects", branch.floor, branch.objects.len())).collect();
        if lengths.is_empty() { "none of the states that it went through".to_owned() } else { lengths.join(", or ") }
    }

    fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.viable.iter().filter_map(|index| self.history.branches.get(*index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(serial: u64) -> Object {
        Object::Block { serial, length: 10 }
    }

    fn blocks(serials: &[u64]) -> Vec<Object> {
        serials.iter().copied().map(block).collect()
    }

    /// What comparing with a tape of these objects comes to.
    fn compare(history: &History, tape: &[Object]) -> Result<Settled, String> {
        let mut matching = history.matching();
        for object in tape {
            if !matching.candidates().contains(object) {
                return Err(format!("at {}", matching.seen()));
            }
            matching.found(*object);
        }
        let (objects, settled) = matching.end()?;
        assert_eq!(objects, tape);
        Ok(settled)
    }

    #[test]
    fn any_prefix_of_what_is_not_sure_may_be_found_and_nothing_else() {
        let mut history = History::settled(blocks(&[1, 2]));
        history.put(3, 2, [block(3)].into_iter());
        history.put(4, 3, [block(4)].into_iter());
        assert_eq!(compare(&history, &blocks(&[1, 2])), Ok(Settled { unsure: 2, kept: 0 }));
        assert_eq!(compare(&history, &blocks(&[1, 2, 3])), Ok(Settled { unsure: 2, kept: 1 }));
        assert_eq!(compare(&history, &blocks(&[1, 2, 3, 4])), Ok(Settled { unsure: 2, kept: 2 }));
        assert_eq!(compare(&history, &blocks(&[1])), Err("2 to 4 objects".to_owned()));
        assert_eq!(compare(&history, &blocks(&[1, 2, 4])), Err("at 2".to_owned()));
        assert_eq!(compare(&history, &blocks(&[1, 2, 3, 4, 5])), Err("at 4".to_owned()));
    }

    #[test]
    fn an_overwrite_leaves_the_old_the_cut_or_the_new() {
        let mut history = History::settled(blocks(&[1, 2, 3]));
        history.put(9, 1, [block(9)].into_iter());
        for tape in [&[1, 2, 3][..], &[1], &[1, 9]] {
            assert!(compare(&history, &blocks(tape)).is_ok(), "{tape:?}");
        }
        for tape in [&[1, 2][..], &[1, 9, 3], &[]] {
            assert!(compare(&history, &blocks(tape)).is_err(), "{tape:?}");
        }
        history.pin(9);
        assert_eq!(compare(&history, &blocks(&[1, 9])), Ok(Settled::default()));
        assert!(compare(&history, &blocks(&[1, 2, 3])).is_err());
        assert!(compare(&history, &blocks(&[1])).is_err());
    }

    #[test]
    fn a_pin_makes_sure_what_came_before_it_and_not_what_came_after() {
        let mut history = History::settled(Vec::new());
        history.put(1, 0, [block(1), block(2)].into_iter());
        history.step(2);
        history.put(3, 2, [Object::Filemark].into_iter());
        history.pin(2);
        assert!(compare(&history, &blocks(&[1])).is_err());
        assert_eq!(compare(&history, &blocks(&[1, 2])), Ok(Settled { unsure: 1, kept: 0 }));
        history.put(4, 0, std::iter::empty());
        history.pin(4);
        assert_eq!(compare(&history, &[]), Ok(Settled::default()));
        assert!(compare(&history, &blocks(&[1, 2])).is_err());
    }
}
