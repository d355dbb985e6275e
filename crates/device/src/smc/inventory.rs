//! What READ ELEMENT STATUS asks of the library, and the report made of the answer. [SMC-3 READ ELEMENT STATUS]

use capstan_media::{Element, ElementAddress, ElementKind, Layout};
use capstan_scsi::CheckCondition;
use capstan_scsi::smc::{
    ElementDescriptor, ElementIdentifier, ElementStatusPage, ElementStatusReport, ElementType, VolumeTag,
};

use super::MediaChanger;
use super::identity::DriveIdentity;
use super::op::ChangerOp;
use super::refusal;

/// Which elements a command is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Selection {
    /// ELEMENT TYPE CODE.
    pub(super) element_type: ElementType,
    /// STARTING ELEMENT ADDRESS, in bytes 2 and 3 of every CDB that has one.
    pub(super) start: u16,
    /// NUMBER OF ELEMENTS.
    pub(super) count: u16,
}

/// What a report shows of each element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// VOLTAG: barcodes.
    pub(super) volume_tags: bool,
    /// DVCID: identifiers of drives.
    pub(super) identifiers: bool,
    /// SEND ACTION CODE of the search that is answered.
    pub(super) send_action_code: u8,
}

impl Selection {
    /// What to ask the library; `None` when nothing can be selected.
    ///
    /// A start that is no element selects from the next one, as mtx asks for type 0 from address 0.
    ///
    /// # Errors
    /// INVALID ELEMENT ADDRESS when the start is beyond the last element of the type: whoever walks the elements
    /// by address comes to an end there.
    pub(super) fn op(self, layout: &Layout) -> Result<Option<ChangerOp>, CheckCondition> {
        let kind = kind(self.element_type);
        let Some(last) = last_address(layout, kind) else { return Ok(None) };
        if self.start > last {
            return Err(refusal::invalid_element_at(2));
        }
        let start = ElementAddress(self.start);
        Ok((self.count > 0).then_some(ChangerOp::ReadElements { kind, start, count: self.count }))
    }
}

/// Highest address of the elements of a kind, or of all.
fn last_address(layout: &Layout, kind: Option<ElementKind>) -> Option<u16> {
    use ElementKind::{DataTransfer, ImportExport, MediumTransport, Storage};
    let kinds = [MediumTransport, Storage, ImportExport, DataTransfer].into_iter();
    let last = |kind| {
        let (first, count) = layout.range(kind);
        first.0.checked_add(count.checked_sub(1)?)
    };
    kinds.filter(|each| kind.is_none_or(|kind| kind == *each)).filter_map(last).max()
}

fn kind(element_type: ElementType) -> Option<ElementKind> {
    match element_type {
        ElementType::MEDIUM_TRANSPORT => Some(ElementKind::MediumTransport),
        ElementType::STORAGE => Some(ElementKind::Storage),
        ElementType::IMPORT_EXPORT => Some(ElementKind::ImportExport),
        ElementType::DATA_TRANSFER => Some(ElementKind::DataTransfer),
        _ => None,
    }
}

/// The ELEMENT TYPE CODE of a kind.
pub(super) const fn element_type(kind: ElementKind) -> ElementType {
    match kind {
        ElementKind::MediumTransport => ElementType::MEDIUM_TRANSPORT,
        ElementKind::Storage => ElementType::STORAGE,
        ElementKind::ImportExport => ElementType::IMPORT_EXPORT,
        ElementKind::DataTransfer => ElementType::DATA_TRANSFER,
    }
}

impl MediaChanger {
    /// The report about `elements`, which ascend by address, with one page for each type.
    pub(super) fn report(&self, elements: &[Element], view: View) -> ElementStatusReport {
        let pages = elements.chunk_by(|one, next| one.kind == next.kind).filter_map(|of_a_kind| {
            let kind = of_a_kind.first()?.kind;
            Some(ElementStatusPage {
                element_type: element_type(kind),
                primary_volume_tags: view.volume_tags,
                descriptors: of_a_kind.iter().map(|element| self.descriptor(element, view)).collect(),
            })
        });
        ElementStatusReport { send_action_code: view.send_action_code, pages: pages.collect() }
    }

    fn descriptor(&self, element: &Element, view: View) -> ElementDescriptor {
        let import_export = element.kind == ElementKind::ImportExport;
        let barcode = element.barcode.as_ref();
        ElementDescriptor {
            element_address: element.address.0,
            full: barcode.is_some(),
            import_export: import_export && barcode.is_some() && element.placed_by_operator,
            access: element.kind != ElementKind::MediumTransport && element.accessible,
            export_enabled: import_export,
            import_enabled: import_export,
            source_storage_element_address: element.source.filter(|_| barcode.is_some()).map(|source| source.0),
            primary_volume_tag: barcode.map(|barcode| VolumeTag::new(barcode.as_str())),
            identifier: if view.identifiers { self.identifier(element) } else { None },
            ..ElementDescriptor::default()
        }
    }

    fn identifier(&self, element: &Element) -> Option<ElementIdentifier> {
        if element.kind != ElementKind::DataTransfer {
            return None;
        }
        let index = element.address.0.checked_sub(self.layout.drive_base)?;
        self.drives.get(usize::from(index)).and_then(DriveIdentity::identifier)
    }
}
