//! Device Capabilities mode page (1Fh): which element types store media and between which it moves.

/// A set of element types, in the order of the bits of the page. [SMC-3 mode parameters]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ElementTypes {
    /// MT: medium transport.
    pub medium_transport: bool,
    /// ST: storage.
    pub storage: bool,
    /// I/E: import/export.
    pub import_export: bool,
    /// DT: data transfer.
    pub data_transfer: bool,
}

impl ElementTypes {
    /// No type.
    pub const NONE: Self = Self { medium_transport: false, storage: false, import_export: false, data_transfer: false };
    /// Every type but the picker.
    pub const ALL_BUT_TRANSPORT: Self =
        Self { medium_transport: false, storage: true, import_export: true, data_transfer: true };

    fn to_byte(self) -> u8 {
        u8::from(self.medium_transport)
            | (u8::from(self.storage) << 1)
            | (u8::from(self.import_export) << 2)
            | (u8::from(self.data_transfer) << 3)
    }
}

/// Device Capabilities mode page. Arrays are in the order medium transport, storage, import/export, data transfer.
/// [SMC-3 mode parameters]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeviceCapabilitiesPage {
    /// STORMT to STORDT: types that can store media.
    pub stores: ElementTypes,
    /// For each source type the destination types of MOVE MEDIUM.
    pub moves: [ElementTypes; 4],
    /// For each source type the first destination types of EXCHANGE MEDIUM.
    pub exchanges: [ElementTypes; 4],
}

impl DeviceCapabilitiesPage {
    /// PAGE CODE.
    pub const PAGE_CODE: u8 = 0x1f;

    /// The page with its header.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 20] {
        let mut page = [0; 20];
        page[0] = Self::PAGE_CODE;
        page[1] = 18;
        page[2] = self.stores.to_byte();
        page[4..8].copy_from_slice(&self.moves.map(ElementTypes::to_byte));
        page[12..16].copy_from_slice(&self.exchanges.map(ElementTypes::to_byte));
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_capabilities() {
        let all = ElementTypes::ALL_BUT_TRANSPORT;
        let storage = ElementTypes { storage: true, ..ElementTypes::NONE };
        let transport = ElementTypes { medium_transport: true, ..ElementTypes::NONE };
        let page = DeviceCapabilitiesPage {
            stores: all,
            moves: [ElementTypes::NONE, all, all, storage],
            exchanges: [transport, all, all, all],
        };
        assert_eq!(
            page.to_bytes(),
            [0x1f, 18, 0x0e, 0, 0, 0x0e, 0x0e, 0x02, 0, 0, 0, 0, 0x01, 0x0e, 0x0e, 0x0e, 0, 0, 0, 0]
        );
    }
}
