//! Contents of the changer's mode pages: they follow from the layout and cannot be changed by an initiator.

use capstan_media::{ElementKind, Layout};
use capstan_scsi::smc::{
    DeviceCapabilitiesPage, ElementAddressAssignmentPage, ElementRange, ElementTypes, TransportGeometryPage,
};
use capstan_scsi::spc::mode::{ModePage, ModePageCode, ModePages};

/// All mode pages.
pub(super) fn mode_pages(layout: &Layout) -> ModePages {
    ModePages::new(vec![
        page(ModePageCode::ELEMENT_ADDRESS_ASSIGNMENT, &element_address_assignment(layout).to_bytes()),
        page(ModePageCode::TRANSPORT_GEOMETRY, &transport_geometry().to_bytes()),
        page(ModePageCode::DEVICE_CAPABILITIES, &device_capabilities().to_bytes()),
    ])
}

/// A page that cannot be changed, from its bytes with the page header.
fn page(code: ModePageCode, bytes: &[u8]) -> ModePage {
    ModePage::fixed(code, 0, bytes.get(2..).unwrap_or_default())
}

/// Element Address Assignment (1Dh).
fn element_address_assignment(layout: &Layout) -> ElementAddressAssignmentPage {
    let range = |kind| {
        let (first, count) = layout.range(kind);
        ElementRange { first: first.0, count }
    };
    ElementAddressAssignmentPage {
        medium_transport: range(ElementKind::MediumTransport),
        storage: range(ElementKind::Storage),
        import_export: range(ElementKind::ImportExport),
        data_transfer: range(ElementKind::DataTransfer),
    }
}

/// Transport Geometry Parameters (1Eh): one picker, which does not turn media over.
fn transport_geometry() -> TransportGeometryPage {
    TransportGeometryPage { rotate: false, member_number: 0 }
}

/// Device Capabilities (1Fh): media rest in and move between everything but the picker.
fn device_capabilities() -> DeviceCapabilitiesPage {
    let (none, all) = (ElementTypes::NONE, ElementTypes::ALL_BUT_TRANSPORT);
    DeviceCapabilitiesPage { stores: all, moves: [none, all, all, all], exchanges: [none, all, all, all] }
}
