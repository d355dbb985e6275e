//! Calls for a media changer.

use std::ops::Deref;

use capstan_scsi::smc::{ElementStatusReport, ElementType, MoveMedium, ReadElementStatus};

use crate::{Command, Device, DeviceError};

/// A media changer. Everything that a [`Device`] can do it can do too.
#[derive(Clone, Debug)]
pub struct Changer(Device);

/// An element and what is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Its address.
    pub address: u16,
    /// What it is.
    pub element_type: ElementType,
    /// It holds a cartridge.
    pub full: bool,
    /// The picker can take the cartridge.
    pub accessible: bool,
    /// The barcode of the cartridge, where there is one that can be read.
    pub barcode: Option<String>,
    /// The storage element that the cartridge came from.
    pub source: Option<u16>,
}

/// Room for the answer to READ ELEMENT STATUS: the largest that its field can ask for.
const ALLOCATION_LENGTH: u32 = 0x00ff_ffff;

impl Changer {
    /// The changer behind a device.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self(device)
    }

    /// READ ELEMENT STATUS with volume tags: all elements.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn element_status(&self) -> Result<Vec<Slot>, DeviceError> {
        let cdb = ReadElementStatus {
            volume_tag: true,
            element_type: ElementType::ALL,
            starting_element_address: 0,
            number_of_elements: u16::MAX,
            current_data: false,
            device_identifier: false,
            allocation_length: ALLOCATION_LENGTH,
        };
        let command = Command::read(&cdb.to_cdb().0, ALLOCATION_LENGTH);
        let data = self.0.good("READ ELEMENT STATUS", command).await?.data;
        let report =
            ElementStatusReport::decode(&data).map_err(|_| DeviceError::Answer { command: "READ ELEMENT STATUS" })?;
        let elements = report.pages.iter().flat_map(|page| {
            page.descriptors.iter().map(|descriptor| Slot {
                address: descriptor.element_address,
                element_type: page.element_type,
                full: descriptor.full,
                accessible: descriptor.access,
                barcode: descriptor.primary_volume_tag.and_then(|tag| {
                    let text = String::from_utf8_lossy(tag.identifier()).trim().to_owned();
                    (!text.is_empty()).then_some(text)
                }),
                source: descriptor.source_storage_element_address,
            })
        });
        Ok(elements.collect())
    }

    /// MOVE MEDIUM with the default picker.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn move_medium(&self, source_address: u16, destination_address: u16) -> Result<(), DeviceError> {
        let cdb = MoveMedium { medium_transport_element_address: 0, source_address, destination_address };
        self.0.good("MOVE MEDIUM", Command::new(&cdb.to_cdb().0)).await.map(drop)
    }

    /// INITIALIZE ELEMENT STATUS.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn initialize_element_status(&self) -> Result<(), DeviceError> {
        self.0.good("INITIALIZE ELEMENT STATUS", Command::new(&[0x07, 0, 0, 0, 0, 0])).await.map(drop)
    }
}

impl Deref for Changer {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.0
    }
}
