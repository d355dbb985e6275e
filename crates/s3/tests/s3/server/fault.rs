//! Which request fails, and how.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered with this status, code and header Retry-After, and not done.
    Status(u16, &'static str, Option<&'static str>),
    /// It is never answered, and its body not read.
    Silence,
    /// Its body is read, it is done, and never answered.
    DoneInSilence,
    /// The connection is reset before anything is done.
    Reset,
    /// It is done, and then the connection is reset.
    DoneThenReset,
    /// Half of the answer's body comes, and then a reset.
    HalfThenReset,
    /// Half of the answer's body comes, and then an orderly end.
    HalfInOrder,
    /// Half of the answer's body comes, and then nothing.
    HalfThenSilence,
    /// The answer's body comes a byte at a time, each in time.
    Trickle,
    /// A bit of the answer's body is wrong.
    Flipped,
    /// The answer's body is a byte longer than announced in Content-Range, and has no announced length.
    Longer,
    /// The range is ignored: 200 and the whole object.
    Whole,
    /// The range is another: a byte further.
    Shifted,
    /// The body of the request is read so slowly that it takes longer than an answer may.
    SlowReader,
    /// The body of the request arrives with a bit wrong.
    Garbled,
    /// The answer is a page of HTML with status 200.
    Page,
}

/// By number of the request, and for all requests of a method.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: usize,
    planned: BTreeMap<usize, Fault>,
    verbs: Vec<(&'static str, Fault)>,
    seen: Vec<String>,
}

impl Faults {
    /// The request after this many others from now (0: the next one).
    pub(crate) fn plan(&self, after: usize, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        let number = state.requests + after;
        state.planned.insert(number, fault);
    }

    /// Every request of this method (`*`: of any) until [`Faults::clear`].
    pub(crate) fn always(&self, method: &'static str, fault: Fault) {
        self.state.lock().unwrap().verbs.push((method, fault));
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state.lock().unwrap();
        state.planned.clear();
        state.verbs.clear();
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// Method and path of every request so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Counts a request, and says what happens to it.
    pub(super) fn next(&self, method: &str, path: &str) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let number = state.requests;
        state.requests += 1;
        state.seen.push(format!("{method} {path}"));
        let planned = state.planned.remove(&number);
        planned
            .or_else(|| state.verbs.iter().find(|(verb, _)| *verb == "*" || *verb == method).map(|(_, fault)| *fault))
    }
}
