//! What a tape is made of: the chain of segments before end of data (`segment-v1.md`, ancestors).

use super::TapeName;
use crate::error::Damage;
use crate::format::{Ancestor, Point, Row, TapeVersion};
use crate::manifest::State;

/// The objects of a tape that one segment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Extent {
    /// Of the first object.
    pub(crate) from: Point,
    /// After the last object.
    pub(crate) to: Point,
    /// The segment, if the manifest has it.
    pub(crate) row: Option<Row>,
    /// Why there is none.
    pub(crate) missing: Option<Damage>,
}

/// A tape from its beginning to its end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) end: Point,
    pub(crate) extents: Vec<Extent>,
}

impl Layout {
    /// What should be there and has no row.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Damage> {
        self.extents.iter().filter_map(|extent| extent.missing.as_ref())
    }

    /// The tape as it is, or an older version of it.
    pub(crate) fn of(name: &TapeName, state: &State, version: Option<&TapeVersion>) -> Self {
        let (mut to, mut ancestors) = match version {
            Some(version) => (version.end, version.ancestors.clone()),
            None => end_of(state),
        };
        let mut layout = Self { end: to, extents: Vec::new() };
        let missing = |what: String| Some(Damage::new(&name.delta(state.number), what));
        while to.objects > 0 {
            let Some((nearest, farther)) = ancestors.split_first() else {
                let what = format!("no segment is named for the objects before {}", to.objects);
                layout.extents.push(Extent { from: Point::default(), to, row: None, missing: missing(what) });
                break;
            };
            let row = state.rows.get(&nearest.sequence).filter(|row| row.start == nearest.start);
            let Some(row) = row else {
                let what = format!("segment {} belongs to the tape and has no row", nearest.sequence);
                layout.extents.push(Extent { from: nearest.start, to, row: None, missing: missing(what) });
                to = nearest.start;
                ancestors = farther.to_vec();
                continue;
            };
            if row.end.objects < to.objects {
                let what = format!("segment {} should go on to object {}", row.sequence, to.objects);
                layout.extents.push(Extent { from: row.end, to, row: None, missing: missing(what) });
                to = row.end;
            }
            if row.start.objects < to.objects {
                layout.extents.push(Extent { from: row.start, to, row: Some(row.clone()), missing: None });
            }
            to = row.start;
            ancestors.clone_from(&row.ancestors);
        }
        layout.extents.reverse();
        layout
    }
}

/// End of data and the segments before it: as the metadata say, or, where no metadata were shipped, of the last segment.
fn end_of(state: &State) -> (Point, Vec<Ancestor>) {
    if let Some(meta) = &state.meta {
        return (meta.end, meta.ancestors.clone());
    }
    let Some(row) = state.rows.values().next_back() else { return (Point::default(), Vec::new()) };
    let mut ancestors = vec![Ancestor { sequence: row.sequence, start: row.start }];
    ancestors.extend_from_slice(&row.ancestors);
    (row.end, ancestors)
}
