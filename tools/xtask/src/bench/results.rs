//! What was measured: a table for each row of the benchmark, with a line for each case and a column for each subject.

/// All values of one cell, in the order of the repetitions.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) table: &'static str,
    pub(super) line: String,
    pub(super) unit: &'static str,
    pub(super) column: String,
    pub(super) values: Vec<f64>,
    /// Why there are none, or not all.
    pub(super) failure: Option<String>,
}

/// Where a value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub(super) table: &'static str,
    pub(super) line: &'a str,
    pub(super) unit: &'static str,
    pub(super) column: &'a str,
}

#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) series: Vec<Series>,
    /// What a reader has to know.
    pub(super) notes: Vec<String>,
    absent: bool,
}

impl Results {
    pub(super) fn add(&mut self, cell: Cell<'_>, value: f64) {
        self.find(cell).values.push(value);
    }

    pub(super) fn fail(&mut self, cell: Cell<'_>, why: &str) {
        println!("  {}, {}: {why}", cell.line, cell.column);
        self.find(cell).failure = Some(why.to_owned());
    }

    /// Said once.
    pub(super) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            println!("  note: {text}");
            self.notes.push(text);
        }
    }

    /// A whole row could not be measured.
    pub(super) fn absent(&mut self, text: String) {
        self.absent = true;
        self.note(text);
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.absent && self.series.iter().all(|series| series.failure.is_none())
    }

    /// The values of a cell, if there are any.
    pub(super) fn values(&self, table: &str, line: &str, column: &str) -> &[f64] {
        self.get(table, line, column).map_or(&[], |series| &series.values)
    }

    pub(super) fn get(&self, table: &str, line: &str, column: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.table == table && series.line == line && series.column == column)
    }

    fn find(&mut self, cell: Cell<'_>) -> &mut Series {
        let is =
            |series: &Series| series.table == cell.table && series.line == cell.line && series.column == cell.column;
        let index = self.series.iter().position(is).unwrap_or(self.series.len());
        if index == self.series.len() {
            let (table, unit) = (cell.table, cell.unit);
            let (line, column) = (cell.line.to_owned(), cell.column.to_owned());
            self.series.push(Series { table, line, unit, column, values: Vec::new(), failure: None });
        }
        #[expect(clippy::indexing_slicing, reason = "the index was found, or pushed, just now")]
        &mut self.series[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_cell_come_together_and_a_failure_is_kept() {
        let mut results = Results::default();
        let cell = |column| Cell { table: "throughput", line: "write", unit: "MiB/s", column };
        results.add(cell("capstan"), 1.0);
        results.add(cell("tgt"), 5.0);
        results.add(cell("capstan"), 2.0);
        assert_eq!(results.values("throughput", "write", "capstan"), [1.0, 2.0]);
        assert_eq!(results.values("throughput", "read", "capstan"), [0.0; 0]);
        assert!(results.is_complete());
        results.fail(cell("tgt"), "it died");
        assert!(!results.is_complete());
        assert_eq!(results.series.len(), 2);
    }
}
