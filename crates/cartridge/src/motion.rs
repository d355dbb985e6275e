//! Going somewhere: LOCATE and SPACE. Each costs a binary search over the segments and one index.

use capstan_format::Point;
use capstan_media::{FilemarkNumber, LocateTarget, LogicalObjectId, MediumFailureKind, Partition, SpaceTarget, Stop};

use crate::cartridge::{Cartridge, Outcome};
use crate::fault::Fault;

impl Cartridge {
    pub(crate) fn locate(&mut self, partition: Partition, target: LocateTarget) -> Result<Outcome, Fault> {
        if partition != Partition(0) {
            let message = format!("cartridge {} has no partition {}", self.meta.barcode, partition.0);
            return Err(Fault::new(MediumFailureKind::NoSuchPartition, message));
        }
        let end = self.chain.end();
        let (place, stop) = match target {
            LocateTarget::Object(LogicalObjectId(object)) if object > end.object => (end, Some(Stop::EndOfData)),
            LocateTarget::Object(LogicalObjectId(object)) => (self.point(object)?, None),
            LocateTarget::File(FilemarkNumber(file)) if file > end.filemark => (end, Some(Stop::EndOfData)),
            LocateTarget::File(FilemarkNumber(file)) => (self.start_of_file(file)?, None),
            LocateTarget::EndOfData => (end, None),
        };
        self.place = place;
        Ok(Outcome::new(0, stop))
    }

    pub(crate) fn space(&mut self, target: SpaceTarget) -> Result<Outcome, Fault> {
        let (place, count, stop) = match target {
            SpaceTarget::Blocks(count @ 0..) => self.blocks_forwards(count.unsigned_abs())?,
            SpaceTarget::Blocks(count) => self.blocks_backwards(count.unsigned_abs())?,
            SpaceTarget::Filemarks(count @ 0..) => self.filemarks_forwards(count.unsigned_abs())?,
            SpaceTarget::Filemarks(count) => self.filemarks_backwards(count.unsigned_abs())?,
            SpaceTarget::EndOfData => (self.chain.end(), 0, None),
        };
        self.place = place;
        Ok(Outcome::new(count, stop))
    }

    fn blocks_forwards(&mut self, count: u64) -> Result<(Point, u64, Option<Stop>), Fault> {
        let (here, end) = (self.place, self.chain.end());
        let target = here.object.saturating_add(count);
        if here.filemark < end.filemark {
            let filemark = self.filemark(here.filemark)?;
            if filemark < target {
                return Ok((self.point(filemark + 1)?, filemark - here.object, Some(Stop::Filemark)));
            }
        }
        if target > end.object {
            return Ok((end, end.object - here.object, Some(Stop::EndOfData)));
        }
        Ok((self.point(target)?, count, None))
    }

    fn blocks_backwards(&mut self, count: u64) -> Result<(Point, u64, Option<Stop>), Fault> {
        let here = self.place;
        let target = here.object.checked_sub(count);
        if let Some(number) = here.filemark.checked_sub(1) {
            let filemark = self.filemark(number)?;
            if target.is_none_or(|target| filemark >= target) {
                return Ok((self.point(filemark)?, here.object - filemark - 1, Some(Stop::Filemark)));
            }
        }
        match target {
            Some(target) => Ok((self.point(target)?, count, None)),
            None => Ok((Point::default(), here.object, Some(Stop::BeginningOfPartition))),
        }
    }

    fn filemarks_forwards(&mut self, count: u64) -> Result<(Point, u64, Option<Stop>), Fault> {
        let (here, end) = (self.place, self.chain.end());
        if count == 0 {
            return Ok((here, 0, None));
        }
        let file = here.filemark.saturating_add(count);
        if file > end.filemark {
            return Ok((end, end.filemark - here.filemark, Some(Stop::EndOfData)));
        }
        Ok((self.start_of_file(file)?, count, None))
    }

    fn filemarks_backwards(&mut self, count: u64) -> Result<(Point, u64, Option<Stop>), Fault> {
        let here = self.place;
        match here.filemark.checked_sub(count) {
            Some(number) => {
                let filemark = self.filemark(number)?;
                Ok((self.point(filemark)?, count, None))
            }
            None => Ok((Point::default(), here.filemark, Some(Stop::BeginningOfPartition))),
        }
    }

    /// The place after the filemark that ends the file before, or the beginning.
    fn start_of_file(&mut self, file: u64) -> Result<Point, Fault> {
        match file.checked_sub(1) {
            Some(number) => {
                let filemark = self.filemark(number)?;
                self.point(filemark + 1)
            }
            None => Ok(Point::default()),
        }
    }
}
