//! redb's storage on a [`capstan_disk::File`], so that the same catalog runs on a simulated disk.

use std::io::{self, IoSlice, IoSliceMut};

use capstan_disk::{File, read_exact_at, write_all_at};
use redb::StorageBackend;

/// A page of redb: every length that it asks for is a multiple.
const PAGE: u64 = 4096;

/// One file. Locking between processes is the state directory's, not redb's.
///
/// redb takes it that a file grows by one call that happens or does not, and refuses a length that it never asked
/// for. Here growing can end half-way: the disk is full, or the power goes. So part of a page at the end of the file is
/// not told of; redb writes to new pages only when all of them are there.
#[derive(Debug)]
pub(crate) struct DiskBackend(pub(crate) Box<dyn File>);

impl StorageBackend for DiskBackend {
    fn len(&self) -> io::Result<u64> {
        let length = self.0.length()?;
        Ok(length - length % PAGE)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_exact_at(self.0.as_ref(), &mut [IoSliceMut::new(out)], offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = self.len()?;
        if len <= length {
            return self.0.truncate(len);
        }
        // Written, not left sparse: a full disk must show here, before redb relies on the room.
        let zeros = [0_u8; 64 * 1024];
        let mut at = length;
        while at < len {
            let count = usize::try_from(len.saturating_sub(at)).unwrap_or(usize::MAX).min(zeros.len());
            self.write(at, zeros.get(..count).unwrap_or(&zeros))?;
            at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_all_at(self.0.as_ref(), &mut [IoSlice::new(data)], offset).map_err(|stopped| stopped.error)
    }
}
