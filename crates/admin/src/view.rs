//! What the library says, as the API says it.

use capstan_api as api;
use capstan_library::{CartridgeState, DriveInfo, DriveState, ElementInfo, Moved, TapeInfo};
use capstan_media::Place;
use capstan_mover::TapeShipping;
use capstan_portal::SessionInfo;

/// A cartridge, and what of it is where.
pub(crate) fn tape(info: &TapeInfo, shipping: TapeShipping) -> api::Tape {
    api::Tape {
        barcode: info.barcode.to_string(),
        id: info.id.to_string(),
        state: match (shipping.fenced, shipping.unshipped_bytes) {
            (false, _) => tape_state(info.state),
            (true, 0) => api::TapeState::Fenced,
            (true, _) => api::TapeState::Fork,
        },
        location: info.place.map(|place| place.to_string()),
        size: info.size,
        used: info.used,
        protected: info.protected,
        durable_to: info.durable_to,
        tier_to: shipping.tier_to,
        unshipped_bytes: shipping.unshipped_bytes,
        local_bytes: shipping.local_bytes,
        pinned: shipping.pinned,
        objects: info.objects,
        filemarks: info.filemarks,
        created: info.created,
        problem: info.problem.clone(),
    }
}

/// Where in its life a cartridge is.
pub(crate) fn tape_state(state: CartridgeState) -> api::TapeState {
    match state {
        CartridgeState::Creating => api::TapeState::Creating,
        CartridgeState::Available => api::TapeState::Available,
        CartridgeState::InTransit => api::TapeState::InTransit,
        CartridgeState::Archiving => api::TapeState::Archiving,
        CartridgeState::Archived => api::TapeState::Archived,
        CartridgeState::Retrieving => api::TapeState::Retrieving,
        CartridgeState::Retrieved => api::TapeState::Retrieved,
        CartridgeState::Recovered => api::TapeState::Recovered,
        CartridgeState::Irrecoverable => api::TapeState::Irrecoverable,
        CartridgeState::Deleting => api::TapeState::Deleting,
    }
}

/// A drive behind a target.
pub(crate) fn drive(info: &DriveInfo, target: String, lun: u16) -> api::Drive {
    api::Drive {
        index: info.index,
        serial: info.serial.clone(),
        target,
        lun,
        barcode: info.barcode.as_ref().map(ToString::to_string),
        state: match info.state {
            DriveState::Empty => api::DriveState::Empty,
            DriveState::Loaded => api::DriveState::Loaded,
            DriveState::Unloaded => api::DriveState::Unloaded,
            DriveState::Faulty => api::DriveState::Faulty,
            DriveState::Failed => api::DriveState::Failed,
        },
        busy: info.busy,
        position: info.position.map(|position| api::Position {
            partition: position.partition.0,
            object: position.object.0,
            file: position.filemark.0,
        }),
        problem: info.problem.clone(),
        write_bytes: info.write_bytes,
        read_bytes: info.read_bytes,
    }
}

/// All elements. `mtx` counts storage slots from 1 and import/export slots after them, drives from 0.
pub(crate) fn elements(infos: &[ElementInfo]) -> Vec<api::Element> {
    let slots = infos.iter().filter(|info| matches!(info.place, Place::Slot(_))).count();
    let slots = u32::try_from(slots).unwrap_or(u32::MAX);
    let element = |info: &ElementInfo| {
        let (kind, mtx) = match info.place {
            Place::Slot(number) => (api::ElementType::Slot, u32::from(number)),
            Place::Io(number) => (api::ElementType::Io, slots.saturating_add(u32::from(number))),
            Place::Drive(number) => (api::ElementType::Drive, u32::from(number)),
        };
        api::Element {
            name: info.place.to_string(),
            kind,
            address: info.element.address.0,
            mtx,
            barcode: info.element.barcode.as_ref().map(ToString::to_string),
            accessible: info.element.accessible,
            source: info.source.map(|place| place.to_string()),
        }
    };
    infos.iter().map(element).collect()
}

/// A move.
pub(crate) fn moved(moved: &Moved) -> api::Moved {
    api::Moved {
        barcode: moved.barcode.to_string(),
        from: moved.from.map_or_else(|| "nowhere".to_owned(), |place| place.to_string()),
        to: moved.to.to_string(),
    }
}

/// A session.
pub(crate) fn session(info: &SessionInfo) -> api::Session {
    api::Session {
        id: info.id,
        initiator: info.initiator.name.clone(),
        address: info.address.to_string(),
        portal: info.portal.to_string(),
        target: info.target.clone(),
        age_seconds: info.since.elapsed().unwrap_or_default().as_secs(),
        commands: info.commands,
        write_bytes: info.bytes_written,
        read_bytes: info.bytes_read,
    }
}

#[cfg(test)]
mod tests {
    use capstan_media::{Element, ElementAddress, ElementKind};

    use super::*;

    fn info(place: Place, kind: ElementKind) -> ElementInfo {
        let element = Element {
            address: ElementAddress(7),
            kind,
            barcode: None,
            source: None,
            accessible: true,
            placed_by_operator: false,
        };
        ElementInfo { element, place, source: None }
    }

    #[test]
    fn mtx_counts_import_export_slots_after_storage_slots() {
        let infos = [
            info(Place::Slot(1), ElementKind::Storage),
            info(Place::Slot(2), ElementKind::Storage),
            info(Place::Io(1), ElementKind::ImportExport),
            info(Place::Drive(0), ElementKind::DataTransfer),
        ];
        let numbers: Vec<u32> = elements(&infos).iter().map(|element| element.mtx).collect();
        assert_eq!(numbers, [1, 2, 3, 0]);
    }

    #[test]
    fn each_state_has_the_name_that_the_catalog_gives_it() {
        for state in CartridgeState::ALL {
            assert_eq!(tape_state(state).to_string(), state.name());
        }
    }
}
