//! The backup host: a session with the changer and one with each drive.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use capstan_initiator::{Changer, Device, DeviceError, InitiatorError, Login, Session, Slot, Tape, discover};
use capstan_scsi::sam::Lun;
use capstan_scsi::smc::ElementType;

const INITIATOR: &str = "iqn.2026-11.io.capstan:crash-load";

/// Longer than any flush to a busy disk.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Host {
    pub(crate) changer: Changer,
    pub(crate) drives: Vec<Tape>,
    pub(crate) places: Places,
}

/// Element addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) drives: Vec<u16>,
    pub(crate) slots: Vec<u16>,
    pub(crate) io_slots: Vec<u16>,
}

impl Host {
    pub(crate) async fn log_in(portal: SocketAddr) -> Result<Self> {
        let targets = discover(portal, INITIATOR, TIMEOUT).await?;
        let device = async |suffix: &str| {
            let target = targets.iter().find(|target| target.name.ends_with(suffix));
            let target = target.with_context(|| format!("the portal lists no target {suffix}"))?;
            let session = Session::log_in(portal, &Login::new(INITIATOR, &target.name), TIMEOUT).await?;
            Ok::<_, anyhow::Error>(Device::new(session, Lun::ZERO, TIMEOUT))
        };
        let changer = Changer::new(device(".changer").await?);
        changer.wait_ready().await?;
        let places = Places::of(&changer.element_status().await?);
        let mut drives = Vec::new();
        for index in 0..places.drives.len() {
            drives.push(Tape::new(device(&format!(".drive-{index:02}")).await?));
        }
        ensure!(!drives.is_empty(), "the library has no drive");
        Ok(Self { changer, drives, places })
    }

    pub(crate) async fn log_out(&self) -> Result<()> {
        for drive in &self.drives {
            drive.session().log_out(TIMEOUT).await?;
        }
        Ok(self.changer.session().log_out(TIMEOUT).await?)
    }
}

impl Places {
    fn of(elements: &[Slot]) -> Self {
        let of_type = |kind: ElementType| {
            elements.iter().filter(move |element| element.element_type == kind).map(|element| element.address).collect()
        };
        Self {
            drives: of_type(ElementType::DATA_TRANSFER),
            slots: of_type(ElementType::STORAGE),
            io_slots: of_type(ElementType::IMPORT_EXPORT),
        }
    }

    pub(crate) fn is_drive(&self, address: u16) -> bool {
        self.drives.contains(&address)
    }

    /// The address of `slot:N`, `io:N` (from 1) or `drive:N` (from 0).
    pub(crate) fn address(&self, location: &str) -> Option<u16> {
        let (kind, number) = location.split_once(':')?;
        let number: usize = number.parse().ok()?;
        match kind {
            "slot" => self.slots.get(number.checked_sub(1)?),
            "io" => self.io_slots.get(number.checked_sub(1)?),
            "drive" => self.drives.get(number),
            _ => None,
        }
        .copied()
    }
}

/// Whether this is the end of a connection, as the death of the daemon makes it.
pub(crate) fn is_cut(error: &anyhow::Error) -> bool {
    let ended = |error: &InitiatorError| {
        matches!(error, InitiatorError::Closed | InitiatorError::Io(_) | InitiatorError::Connect { .. })
    };
    error.chain().any(|cause| {
        let device = cause.downcast_ref::<DeviceError>();
        device.is_some_and(|error| matches!(error, DeviceError::Session { error, .. } if ended(error)))
            || cause.downcast_ref::<InitiatorError>().is_some_and(ended)
    })
}
