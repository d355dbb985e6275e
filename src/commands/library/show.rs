//! `capstan library show`

use capstan_api::{Element, ElementType};
use clap::Args;

use crate::cli::Globals;
use crate::failure::Failure;
use crate::output::{self, Align, Table};

/// Show slots and drives and what is in them
#[derive(Args)]
pub(super) struct Show {
    /// List empty slots too
    #[arg(long)]
    all: bool,
}

impl Show {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let elements = globals.client().await?.elements().await?;
        globals.answer(&elements, |elements| text(elements, self.all));
        Ok(())
    }
}

/// Drives first, since they are what people look for.
fn text(elements: &[Element], all: bool) -> String {
    let columns = [
        ("ELEMENT", Align::Left),
        ("MTX", Align::Right),
        ("ADDRESS", Align::Right),
        ("TAPE", Align::Left),
        ("FROM", Align::Left),
    ];
    let mut table = Table::new(&columns);
    let mut hidden = 0;
    for kind in [ElementType::Drive, ElementType::Slot, ElementType::Io] {
        for element in elements.iter().filter(|element| element.kind == kind) {
            if !all && kind != ElementType::Drive && element.barcode.is_none() {
                hidden += 1;
                continue;
            }
            table.row([
                element.name.clone(),
                element.mtx.to_string(),
                element.address.to_string(),
                element.barcode.clone().unwrap_or_default(),
                element.source.clone().filter(|_| kind == ElementType::Drive).unwrap_or_default(),
            ]);
        }
    }
    match hidden {
        0 => table.to_string(),
        _ => format!("{table}\n{} not listed (--all lists them)\n", output::count(hidden, "empty slot")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: ElementType, name: &str, mtx: u32, barcode: Option<&str>) -> Element {
        Element {
            name: name.into(),
            kind,
            address: 1000,
            mtx,
            barcode: barcode.map(Into::into),
            accessible: true,
            source: Some("slot:1".into()),
        }
    }

    #[test]
    fn empty_slots_are_counted_or_listed() {
        let elements = [
            element(ElementType::Slot, "slot:1", 1, None),
            element(ElementType::Slot, "slot:2", 2, Some("A")),
            element(ElementType::Drive, "drive:0", 0, Some("B")),
        ];
        assert_eq!(
            text(&elements, false),
            "ELEMENT  MTX  ADDRESS  TAPE  FROM\n\
             drive:0    0     1000  B     slot:1\n\
             slot:2     2     1000  A     -\n\n\
             1 empty slot not listed (--all lists them)\n"
        );
        assert_eq!(text(&elements, true).lines().count(), 4);
    }
}
