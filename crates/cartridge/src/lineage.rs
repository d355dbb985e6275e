//! Following a tape back from a place on it to its beginning.

use capstan_format::segment::{HEADER_LENGTH, Header};
use capstan_format::{Ancestor, FormatError, Point};
use capstan_store::{CartridgeDirectory, Segment, StoreError};

use crate::CartridgeError;
use crate::chain::{Chain, Row};
use crate::shipped::Segments;

/// The segments before a place, last first.
///
/// A segment whose header cannot be read is passed by means of the ancestors that its successor names; its objects
/// are lost, what lies before it is not.
pub(crate) struct Lineage<'a> {
    segments: Segments<'a>,
    ancestors: std::vec::IntoIter<Ancestor>,
    end: Point,
}

/// One segment of a lineage: it holds what lies between the start of its row and `end`.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) row: Row,
    pub(crate) end: Point,
}

impl<'a> Lineage<'a> {
    pub(crate) fn new(segments: Segments<'a>, end: Point, ancestors: &[Ancestor]) -> Self {
        let ancestors = Vec::from(ancestors).into_iter();
        Self { segments, ancestors, end }
    }

    /// The next segment towards the beginning.
    pub(crate) fn step(&mut self) -> Result<Option<Link>, CartridgeError> {
        let end = self.end;
        let Some(Ancestor { sequence, start }) = self.ancestors.next() else {
            // More segments in a row are lost than ancestors are named.
            let lost = Row { sequence: 0, epoch: None, start: Point::default() };
            self.end = lost.start;
            return Ok((end != lost.start).then_some(Link { row: lost, end }));
        };
        self.end = start;
        let epoch = self.enter(sequence, start)?;
        Ok(Some(Link { row: Row { sequence, epoch, start }, end }))
    }

    /// Looks at a segment for what comes before it; gives its epoch if anything says what that is.
    fn enter(&mut self, sequence: u64, start: Point) -> Result<Option<u64>, CartridgeError> {
        let (epoch, ancestors) = match self.segments.shipped.row(sequence, start) {
            Some(row) => (row.epoch, row.ancestors.clone()),
            None => match read_header(self.segments, sequence)?.filter(|header| header.start == start) {
                Some(header) => (header.epoch, header.ancestors),
                None => return Ok(None),
            },
        };
        self.ancestors = ancestors.into_iter();
        Ok(Some(epoch))
    }

    /// All of it.
    pub(crate) fn chain(mut self) -> Result<Chain, CartridgeError> {
        let end = self.end;
        let mut rows = Vec::new();
        while let Some(link) = self.step()? {
            rows.push(link.row);
        }
        rows.reverse();
        Ok(Chain::new(rows, end))
    }
}

/// The header of a segment, or `None` if it is missing or damaged, which is logged.
fn read_header(segments: Segments<'_>, sequence: u64) -> Result<Option<Header>, CartridgeError> {
    let directory = segments.directory;
    let segment = match directory.open_segment(sequence) {
        Err(error) if error.is_missing() => {
            tracing::error!(segment = %directory.segment_path(sequence).display(), "segment is missing");
            return Ok(None);
        }
        other => other?,
    };
    let bytes = segment.read_from(0, 2 * u64::try_from(HEADER_LENGTH).unwrap_or(u64::MAX))?;
    let header = header_of(segments, &segment, &bytes)?;
    Ok(header.inspect_err(|why| tracing::error!(segment = %segment.path().display(), why, "segment is lost")).ok())
}

/// Decodes the header of `segment`; inside, why that cannot be: it is damaged, or another segment's.
pub(crate) fn header_of(
    segments: Segments<'_>,
    segment: &Segment,
    bytes: &[u8],
) -> Result<Result<Header, String>, CartridgeError> {
    match Header::decode(bytes) {
        Ok(header)
            if (header.cartridge, header.sequence) == (segments.owner(segment.sequence()), segment.sequence()) =>
        {
            Ok(Ok(header))
        }
        Ok(Header { cartridge, sequence, .. }) => {
            Ok(Err(format!("the file holds segment {sequence} of cartridge {cartridge}")))
        }
        Err(FormatError::NewerVersion { version, known }) => {
            Err(CartridgeError::NewerVersion { path: segment.path().to_owned(), version, known })
        }
        Err(error) => Ok(Err(format!("the header is damaged: {error}"))),
    }
}

/// A segment file that may be missing.
pub(crate) fn open_if_there(directory: &CartridgeDirectory, sequence: u64) -> Result<Option<Segment>, StoreError> {
    match directory.open_segment(sequence) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    }
}
