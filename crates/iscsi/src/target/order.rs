//! The order of commands: CmdSN, ExpCmdSN and MaxCmdSN. [RFC 7143 4.2.2.1]

use std::collections::VecDeque;

/// Numbered requests that wait for their turn, and the window.
///
/// `base` is the CmdSN of the next request to deliver, `entries[i]` the request with CmdSN `base + i`; a gap is
/// `None`. MaxCmdSN rises by one for each numbered request that is over, so that it never falls; but a request can be
/// over before its turn (it is rejected, or aborted behind a gap), and MaxCmdSN stays within a window of `base`, or
/// numbers behind one gap would have no end.
#[derive(Debug)]
pub(super) struct Order<T> {
    base: u32,
    window: u32,
    /// MaxCmdSN as far as requests that are over go.
    released: u32,
    entries: VecDeque<Option<T>>,
}

impl<T> Order<T> {
    /// The first CmdSN, and how many requests may be outstanding.
    pub(super) fn new(first: u32, window: u32) -> Self {
        Self { base: first, window, released: first.wrapping_add(window).wrapping_sub(1), entries: VecDeque::new() }
    }

    pub(super) fn exp_cmd_sn(&self) -> u32 {
        let consecutive = self.entries.iter().take_while(|entry| entry.is_some()).count();
        self.base.wrapping_add(u32::try_from(consecutive).unwrap_or(u32::MAX))
    }

    pub(super) fn max_cmd_sn(&self) -> u32 {
        let room = self.released.wrapping_sub(self.base).wrapping_add(1);
        self.base.wrapping_add(room.min(self.window)).wrapping_sub(1)
    }

    /// Whether a request of this number is to be taken: inside the window and not there yet. Any other is ignored
    /// without an answer.
    pub(super) fn admits(&self, cmd_sn: u32) -> bool {
        match self.place(cmd_sn) {
            Some(place) => self.entries.get(place).is_none_or(Option::is_none),
            None => false,
        }
    }

    /// Puts a request in its place. The caller has asked [`Self::admits`].
    pub(super) fn insert(&mut self, cmd_sn: u32, request: T) {
        let Some(place) = self.place(cmd_sn) else { return };
        if place >= self.entries.len() {
            self.entries.resize_with(place + 1, || None);
        }
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Some(request);
        }
    }

    /// The request whose turn it is.
    pub(super) fn front(&self) -> Option<&T> {
        self.entries.front()?.as_ref()
    }

    /// Takes the request whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let request = self.entries.front_mut()?.take()?;
        self.entries.pop_front();
        self.base = self.base.wrapping_add(1);
        Some(request)
    }

    /// A numbered request is over: another may come.
    pub(super) fn release(&mut self) {
        self.released = self.released.wrapping_add(1);
    }

    /// Place of a number in `entries`, if it is inside the window.
    fn place(&self, cmd_sn: u32) -> Option<usize> {
        let place = cmd_sn.wrapping_sub(self.base);
        let last = self.max_cmd_sn().wrapping_sub(self.base);
        // An empty window has MaxCmdSN = ExpCmdSN - 1, which may be below `base` never: entries count as outstanding.
        (last < 0x8000_0000 && place <= last).then(|| usize::try_from(place).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_holds_what_comes_after_it() {
        let mut order = Order::new(u32::MAX, 4);
        assert_eq!((order.exp_cmd_sn(), order.max_cmd_sn()), (u32::MAX, 2));
        order.insert(0, 'b');
        order.insert(1, 'c');
        assert_eq!(order.exp_cmd_sn(), u32::MAX);
        assert_eq!(order.pop(), None);
        assert!(!order.admits(1));
        assert!(order.admits(u32::MAX) && order.admits(2) && !order.admits(3) && !order.admits(u32::MAX - 1));
        order.insert(u32::MAX, 'a');
        assert_eq!(order.exp_cmd_sn(), 2);
        assert_eq!([order.pop(), order.pop(), order.pop(), order.pop()], [Some('a'), Some('b'), Some('c'), None]);
        assert_eq!((order.exp_cmd_sn(), order.max_cmd_sn()), (2, 2));
        order.insert(2, 'd');
        assert_eq!(order.pop(), Some('d'));
        assert_eq!((order.exp_cmd_sn(), order.max_cmd_sn()), (3, 2));
        assert!(!order.admits(3) && !order.admits(2));
        order.release();
        assert!(order.admits(3) && !order.admits(4));
    }

    #[test]
    fn requests_that_are_over_before_their_turn_do_not_widen_the_window() {
        let mut order = Order::new(10, 4);
        for cmd_sn in 11..14 {
            order.insert(cmd_sn, 'x');
            order.release();
        }
        assert_eq!((order.exp_cmd_sn(), order.max_cmd_sn()), (10, 13));
        assert!(!order.admits(14) && order.admits(10));
        order.insert(10, 'a');
        while order.pop().is_some() {}
        // Three are over, one is not.
        assert_eq!((order.exp_cmd_sn(), order.max_cmd_sn()), (14, 16));
        order.release();
        assert_eq!(order.max_cmd_sn(), 17);
    }
}
