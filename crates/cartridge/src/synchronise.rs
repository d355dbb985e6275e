//! Recovery points: what is answered here survives the loss of power.

use capstan_media::MediumFailureKind;

use crate::cartridge::Cartridge;
use crate::fault::Fault;
use crate::superseded;

impl Cartridge {
    /// Puts everything on stable storage: the segments in order, then their names.
    ///
    /// A failure poisons the cartridge. It is never tried again: the kernel may have marked the lost pages clean.
    pub(crate) fn recovery_point(&mut self) -> Result<(), Fault> {
        self.check_not_poisoned()?;
        if !self.meta.open {
            return Ok(());
        }
        while !self.unsynced.is_empty() {
            self.sync_oldest()?;
        }
        let mut mark = false;
        if let Some(tail) = self.tail.as_mut().filter(|tail| tail.is_unsynced()) {
            if let Err(error) = tail.sync() {
                return Err(self.poison(Fault::synchronising(&error)));
            }
            mark = true;
        }
        self.sync_names()?;
        self.durable = self.chain.end().object;
        self.note_point();
        if mark {
            self.mark();
        }
        superseded::retire(&mut self.directory, &mut self.superseded);
        Ok(())
    }

    /// Synchronises the oldest closed segment.
    fn sync_oldest(&mut self) -> Result<(), Fault> {
        if let Some(Err(error)) = self.unsynced.first().map(capstan_store::Segment::sync) {
            return Err(self.poison(Fault::synchronising(&error)));
        }
        self.unsynced.remove(0);
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), Fault> {
        self.directory.sync_names().map_err(|error| self.poison(Fault::synchronising(&error)))
    }

    /// Records in the open segment that the recovery point is durable. It costs little and nothing depends on it but
    /// the diagnosis of damage, so that no room for it is no failure.
    fn mark(&mut self) {
        let Some(tail) = &mut self.tail else { return };
        if let Err(error) = tail.append_marker() {
            let fault = Fault::writing(&error);
            let cut = tail.cut_unfinished();
            if fault.kind != MediumFailureKind::NoSpace || cut.is_err() {
                self.poison(Fault::new(MediumFailureKind::WriteFault, fault.message));
            }
        }
    }

    /// Ends the open segment, if there is one, with its index.
    pub(crate) fn close_tail(&mut self) -> Result<(), Fault> {
        let Some(mut tail) = self.tail.take() else { return Ok(()) };
        let sealed = tail.seal().map_err(|error| Fault::writing(&error));
        if let Err(fault) = sealed {
            // Without room for the index the records are still all there: they will be found by a scan.
            if fault.kind != MediumFailureKind::NoSpace || tail.cut_unfinished().is_err() {
                self.unsynced.push(tail.into_segment());
                return Err(self.poison(Fault::new(MediumFailureKind::WriteFault, fault.message)));
            }
        }
        self.unsynced.push(tail.into_segment());
        self.bound_unsynced()
    }

    /// Synchronises the oldest closed segments when there are too many: a recovery scan reads all that are not.
    fn bound_unsynced(&mut self) -> Result<(), Fault> {
        if self.unsynced.len() <= self.options.unsynced_segments {
            return Ok(());
        }
        self.check_not_poisoned()?;
        self.sync_names()?;
        while self.unsynced.len() > self.options.unsynced_segments {
            self.sync_oldest()?;
        }
        let oldest = self.unsynced.first().map(capstan_store::Segment::sequence);
        let start = self.chain.rows().iter().rev().find(|row| Some(row.sequence) == oldest).map(|row| row.start.object);
        self.durable = self.durable.max(start.unwrap_or_default());
        Ok(())
    }
}
