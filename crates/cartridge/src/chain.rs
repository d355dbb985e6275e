//! The segments of a tape in the order of their objects: one row each.

use capstan_format::{ANCESTORS, Ancestor, Point};

/// One segment. Its objects end where the next row starts, or at the end of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    /// `None` where the header cannot be read.
    pub(crate) epoch: Option<u64>,
    pub(crate) start: Point,
}

/// The segments that make up the tape. Starts are ascending, the first is the beginning of the tape, and only the
/// last may be empty.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    rows: Vec<Row>,
    end: Point,
}

impl Chain {
    pub(crate) fn new(rows: Vec<Row>, end: Point) -> Self {
        Self { rows, end }
    }

    /// End of data.
    pub(crate) fn end(&self) -> Point {
        self.end
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Each row, and where it ends.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (Row, Point)> {
        let ends = self.rows.iter().skip(1).map(|row| row.start).chain([self.end]);
        self.rows.iter().copied().zip(ends)
    }

    /// Moves end of data after an append to the last segment.
    pub(crate) fn extend_to(&mut self, end: Point) {
        self.end = end;
    }

    /// Lets `row` replace everything from its start on; gives the rows that hold nothing any more.
    pub(crate) fn supersede(&mut self, row: Row) -> Vec<Row> {
        let kept = self.rows.partition_point(|before| before.start.object < row.start.object);
        let gone = self.rows.split_off(kept);
        self.rows.push(row);
        self.end = row.start;
        gone
    }

    /// Takes out the last row if it is empty.
    pub(crate) fn pop_empty(&mut self) -> Option<Row> {
        self.rows.pop_if(|row| row.start.object == self.end.object)
    }

    /// The nearest segments that hold objects before `place`, nearest first.
    pub(crate) fn ancestors(&self, place: Point) -> Vec<Ancestor> {
        let before = self.rows.partition_point(|row| row.start.object < place.object);
        let rows = self.rows.iter().take(before).rev().take(ANCESTORS);
        rows.map(|row| Ancestor { sequence: row.sequence, start: row.start }).collect()
    }

    /// The segment that holds an object before end of data, and where it ends.
    pub(crate) fn find(&self, object: u64) -> Option<(Row, Point)> {
        (object < self.end.object).then(|| self.row(self.rows.partition_point(|row| row.start.object <= object)))?
    }

    /// The segment that holds the filemark with `number` filemarks before it, and where it ends.
    pub(crate) fn find_filemark(&self, number: u64) -> Option<(Row, Point)> {
        (number < self.end.filemark).then(|| self.row(self.rows.partition_point(|row| row.start.filemark <= number)))?
    }

    /// The row before `after`, and its end.
    fn row(&self, after: usize) -> Option<(Row, Point)> {
        let row = self.rows.get(after.checked_sub(1)?)?;
        Some((*row, self.rows.get(after).map_or(self.end, |next| next.start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sequence: u64, object: u64, filemark: u64) -> Row {
        Row { sequence, epoch: Some(1), start: Point { object, filemark, byte: object } }
    }

    #[test]
    fn finds_objects_and_filemarks() {
        let end = Point { object: 100, filemark: 5, byte: 100 };
        let chain = Chain::new(vec![row(1, 0, 0), row(3, 10, 2), row(4, 20, 2), row(9, 30, 2)], end);
        let found = |object| chain.find(object).map(|(row, end)| (row.sequence, end.object));
        assert_eq!(
            (found(0), found(9), found(10), found(99)),
            (Some((1, 10)), Some((1, 10)), Some((3, 20)), Some((9, 100)))
        );
        assert_eq!(found(100), None);
        let marked = |number| chain.find_filemark(number).map(|(row, _)| row.sequence);
        assert_eq!((marked(0), marked(1), marked(2), marked(4), marked(5)), (Some(1), Some(1), Some(9), Some(9), None));
        let named: Vec<u64> = chain.ancestors(Point { object: 30, ..end }).iter().map(|a| a.sequence).collect();
        assert_eq!(named, [4, 3, 1]);
    }

    #[test]
    fn a_new_segment_supersedes_what_starts_at_or_after_it() {
        let mut chain = Chain::new(vec![row(1, 0, 0), row(3, 10, 2), row(4, 20, 2)], Point::default());
        let gone = chain.supersede(row(5, 10, 2));
        assert_eq!(gone.iter().map(|row| row.sequence).collect::<Vec<_>>(), [3, 4]);
        assert_eq!((chain.rows().len(), chain.end()), (2, row(5, 10, 2).start));
        assert_eq!(chain.pop_empty(), Some(row(5, 10, 2)));
        assert_eq!(chain.pop_empty(), None);
    }
}
