//! A table of a list of tables that is being read: `[[iscsi.initiator]]`, `[[tier]]`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read::Reader;

/// A key of such a table, as the reference and the template say it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) allowed: &'static str,
    /// What holds where it is left out.
    pub(super) default: &'static str,
    pub(super) doc: String,
}

/// One table.
pub(super) struct Entry<'e, 't> {
    pub(super) table: &'e DeTable<'t>,
    /// Where it begins.
    pub(super) at: Range<usize>,
}

impl Entry<'_, '_> {
    pub(super) fn get(&self, name: &str) -> Option<&Spanned<DeValue<'_>>> {
        self.table.get(name)
    }

    /// Where the value of a key is; where the table begins if it has no such key.
    pub(super) fn span(&self, name: &str) -> Range<usize> {
        self.get(name).map_or_else(|| self.at.clone(), Spanned::span)
    }
}

impl Reader<'_> {
    /// The tables of a list; none, and a mistake, where it is something else. `each` is what a table of it is for.
    pub(super) fn entries<'e, 't>(
        &mut self,
        name: &str,
        each: &str,
        list: &'e Spanned<DeValue<'t>>,
    ) -> Vec<Entry<'e, 't>> {
        let array = list.get_ref().as_array();
        let entries: Option<Vec<_>> = array.and_then(|array| {
            let entry = |item: &'e Spanned<DeValue<'t>>| {
                item.get_ref().as_table().map(|table| Entry { table, at: item.span() })
            };
            array.iter().map(entry).collect()
        });
        entries.unwrap_or_else(|| {
            let what = format!("{name} is no list of tables");
            self.mistake(&list.span(), what, format!("[[{name}]] for each {each}, with keys under it"));
            Vec::new()
        })
    }
}
