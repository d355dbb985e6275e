//! How a cartridge is written to a file.
//!
//! It is read as it lies there, by nobody's leave: a drive that wants it, or somebody who erases it, ends the job, and
//! what was written by then is removed. What is only in the tier is recalled block by block, and goes to the cache as
//! with any read. It is written under another name, synchronised and renamed: a file with the right name is complete.

mod files;
mod output;
mod tap;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_cartridge::{Cartridge, CartridgeError, Options};
use capstan_disk::Disk;
use capstan_media::{CartridgeId, FilemarkNumber, LocateTarget, MediumOp, Partition};
use capstan_store::Store;

use self::files::Directory;
use self::tap::TapFile;
use self::walk::Walk;
use super::order::{ExportFormat, ExportTape};
use super::transfer::{Context, Transfer, TransferError, Watch, tell};

/// What blocks are written to.
trait Image {
    /// Blocks of `length` bytes each.
    fn blocks(&mut self, data: &[u8], length: u32) -> Result<(), TransferError>;
    /// A block that cannot be read.
    fn unreadable(&mut self) -> Result<(), TransferError>;
    /// A filemark.
    fn filemark(&mut self) -> Result<(), TransferError>;
    /// Nothing follows. It is on stable storage then, save its own name.
    fn finish(&mut self) -> Result<(), TransferError>;
}

/// Exports a cartridge that nobody has loaded. `settle` says, at the end, that it counts: it gives false if somebody
/// wanted the cartridge before, and nobody can any more once it gave true.
pub(super) fn export(
    store: &Store,
    disk: &Arc<dyn Disk>,
    cartridge: CartridgeId,
    order: &ExportTape,
    watch: Watch<'_>,
    settle: &dyn Fn() -> bool,
) -> Result<Transfer, TransferError> {
    let target = Target::new(disk.as_ref(), order);
    target.check()?;
    let tape = look_at(store, cartridge)?;
    target.clear(&target.part)?;
    let written = target.image(disk).and_then(|mut image| copy(tape, order, image.as_mut(), watch));
    let done = written.and_then(|transfer| match settle() {
        true => target.conclude().map(|()| transfer),
        false => Err(TransferError::Cancelled),
    });
    if done.is_err()
        && let Err(error) = target.clear(&target.part)
    {
        tracing::warn!(%error, "what was exported of a cartridge is left behind");
    }
    done
}

/// One that was not unloaded properly is first brought in order, as if it were loaded and unloaded.
fn look_at(store: &Store, cartridge: CartridgeId) -> Result<Cartridge, TransferError> {
    match Cartridge::look_at(store, cartridge) {
        Err(CartridgeError::NotClosed(_)) => {
            Cartridge::open_briefly(store, cartridge, Options::default())?.close()?;
            Ok(Cartridge::look_at(store, cartridge)?)
        }
        tape => Ok(tape?),
    }
}

fn copy(
    mut tape: Cartridge,
    order: &ExportTape,
    image: &mut dyn Image,
    watch: Watch<'_>,
) -> Result<Transfer, TransferError> {
    let (end, bytes) = match order.to_filemark {
        Some(filemark) => go_to(&mut tape, filemark)?,
        None => (tape.facts().objects, tape.facts().used),
    };
    let (_, begin) = go_to(&mut tape, order.from_filemark)?;
    let total = bytes.saturating_sub(begin);
    let mut walk = Walk::new(tape, end);
    while walk.step(image)? {
        tell(watch, walk.bytes_passed().saturating_sub(begin), total)?;
    }
    image.finish()?;
    tell(watch, total, total)?;
    Ok(walk.transfer())
}

/// Goes to the place after so many filemarks: the object there, and the bytes before it.
fn go_to(tape: &mut Cartridge, filemark: u64) -> Result<(u64, u64), TransferError> {
    let has = tape.facts().filemarks;
    if filemark > has {
        return Err(TransferError::NoFilemark { wanted: filemark, has });
    }
    let target = LocateTarget::File(FilemarkNumber(filemark));
    let done = tape.perform(MediumOp::Locate { partition: Partition(0), target });
    let done = done.map_err(|failure| TransferError::Medium {
        object: failure.position.object.0,
        what: format!("filemark {filemark} cannot be found: {failure}"),
    })?;
    Ok((done.position.object.0, tape.bytes_passed()))
}

/// What is written, under its name and the one that it has until it is complete.
struct Target<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    part: PathBuf,
    format: ExportFormat,
    overwrite: bool,
}

impl<'a> Target<'a> {
    fn new(disk: &'a dyn Disk, order: &'a ExportTape) -> Self {
        let mut part = order.path.clone().into_os_string();
        part.push(".part");
        let (format, overwrite) = (order.format, order.overwrite);
        Self { disk, path: &order.path, part: PathBuf::from(part), format, overwrite }
    }

    /// Nothing is there, or it may be replaced.
    fn check(&self) -> Result<(), TransferError> {
        if self.disk.length(self.path).is_err() {
            return Ok(());
        }
        if !self.overwrite {
            return Err(TransferError::Exists(self.path.to_owned()));
        }
        match self.disk.list(self.path) {
            Ok(_) if self.format == ExportFormat::Tap => Err(TransferError::OtherFiles(self.path.to_owned())),
            Ok(entries) if !entries.iter().all(files::is_ours) => Err(TransferError::OtherFiles(self.path.to_owned())),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn image(&self, disk: &Arc<dyn Disk>) -> Result<Box<dyn Image>, TransferError> {
        Ok(match self.format {
            ExportFormat::Tap => Box::new(TapFile::create(disk.as_ref(), &self.part)?),
            ExportFormat::Files => Box::new(Directory::create(Arc::clone(disk), &self.part)?),
        })
    }

    /// Removes a file, or a directory of tape files, if it is there.
    fn clear(&self, path: &Path) -> Result<(), TransferError> {
        if let Ok(entries) = self.disk.list(path) {
            for entry in &entries {
                if !files::is_ours(entry) {
                    return Err(TransferError::OtherFiles(path.to_owned()));
                }
                let file = path.join(&entry.name);
                self.disk.remove_file(&file).context("remove", &file)?;
            }
            return self.disk.remove_directory(path).context("remove", path);
        }
        match self.disk.length(path) {
            Ok(_) => self.disk.remove_file(path).context("remove", path),
            Err(_) => Ok(()),
        }
    }

    /// Gives it its name, durably.
    fn conclude(&self) -> Result<(), TransferError> {
        self.check()?;
        if self.format == ExportFormat::Files {
            // A directory replaces only an empty one.
            self.clear(self.path)?;
        }
        self.disk.rename(&self.part, self.path).context("rename", &self.part)?;
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        self.disk.sync_directory(parent).context("synchronise", parent)
    }
}
