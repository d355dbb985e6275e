//! The journal and the ledger, kept together: nothing is in one that is not in the other.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use capstan_initiator::DeviceError;

use crate::journal::{self, Action, Event};
use crate::ledger::Ledger;

/// Shared by everything that sends something.
pub(crate) struct Book {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    ledger: Ledger,
    file: File,
    answered: u64,
}

impl Book {
    /// Reads the journal, or begins one; whether it was there.
    pub(crate) fn open(path: &Path, begin: impl FnOnce() -> Ledger) -> Result<(Self, bool)> {
        let known = path.exists();
        if !known {
            write_all(path, &begin())?;
        }
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let ledger = Ledger::read(&journal::parse(&text)?).with_context(|| path.display().to_string())?;
        // Cuts off what was left unfinished, so that the next line is whole.
        let end = text.rfind('\n').map_or(0, |end| end + 1);
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(u64::try_from(end)?)?;
        let inner = Mutex::new(Inner { ledger, file, answered: 0 });
        Ok((Self { path: path.to_owned(), inner }, known))
    }

    /// Something that is about to be sent; the number of the operation.
    pub(crate) fn sent(&self, action: Action) -> Result<u64> {
        let mut inner = self.lock();
        let op = inner.ledger.next_op;
        inner.note(&Event::Sent { op, action })?;
        Ok(op)
    }

    /// It was answered.
    pub(crate) fn done(&self, op: u64, place: Option<u16>) -> Result<()> {
        let mut inner = self.lock();
        inner.answered += 1;
        inner.note(&Event::Done { op, place })
    }

    /// Notes, does, and notes the answer.
    pub(crate) async fn perform<T>(
        &self,
        action: Action,
        call: impl Future<Output = Result<T, DeviceError>>,
    ) -> Result<T> {
        let op = self.sent(action)?;
        let answer = call.await?;
        self.done(op, None)?;
        Ok(answer)
    }

    /// Looks something up.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Ledger) -> T) -> T {
        at(&self.lock().ledger)
    }

    /// Something that the verifier found.
    pub(crate) fn note(&self, event: &Event) -> Result<()> {
        self.lock().note(event)
    }

    /// How many operations were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.lock().answered
    }

    /// Begins a new journal with what is known now; a cut leaves the old one or the new one.
    pub(crate) fn begin_cycle(&self) -> Result<()> {
        let mut inner = self.lock();
        inner.ledger.cycle += 1;
        inner.ledger.in_doubt.clear();
        let draft = self.path.with_extension("draft");
        write_all(&draft, &inner.ledger)?;
        fs::rename(&draft, &self.path)?;
        inner.file = OpenOptions::new().append(true).open(&self.path)?;
        inner.answered = 0;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic ends the whole run: there is nobody left whom a half-made change could mislead.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note(&mut self, event: &Event) -> Result<()> {
        self.file.write_all(&line(event)?).context("the journal cannot be written")?;
        self.ledger.apply(event).with_context(|| format!("{event:?}"))
    }
}

fn line(event: &Event) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    Ok(line)
}

fn write_all(path: &Path, ledger: &Ledger) -> Result<()> {
    let lines: Vec<Vec<u8>> = ledger.events().iter().map(line).collect::<Result<_>>()?;
    fs::write(path, lines.concat()).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Tape;
    use crate::options::Mode;

    #[test]
    fn the_next_run_knows_what_the_last_one_knew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let begin = || {
            let mut ledger = Ledger::new(Mode::Kill, 5, 0);
            ledger.tapes.insert("A".into(), Tape::known(500, false, Vec::new()));
            ledger
        };
        let (book, known) = Book::open(&path, begin).unwrap();
        assert!(!known);
        let write = |at| Action::Write { tape: "A".into(), at, lengths: vec![3] };
        let first = book.sent(write(0)).unwrap();
        book.done(first, None).unwrap();
        let second = book.sent(write(1)).unwrap();
        fs::write(&path, [&fs::read(&path).unwrap()[..], b"{\"Don"].concat()).unwrap();
        drop(book);

        let (book, known) = Book::open(&path, || unreachable!()).unwrap();
        assert!(known);
        assert_eq!(book.look(|ledger| ledger.in_doubt.keys().copied().collect::<Vec<_>>()), [second]);
        assert_eq!(book.look(|ledger| ledger.objects("A").len()), 2);
        book.done(second, None).unwrap();
        book.begin_cycle().unwrap();
        let (book, _) = Book::open(&path, || unreachable!()).unwrap();
        assert_eq!(book.look(|ledger| (ledger.cycle, ledger.next_op, ledger.objects("A").len())), (1, 3, 2));
    }
}
