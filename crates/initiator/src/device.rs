//! One logical unit, with the calls that every device understands.

use std::time::Duration;

use bytes::Bytes;
use capstan_scsi::sam::{Lun, Status};

use crate::sense::UNIT_ATTENTION;
use crate::{Command, InitiatorError, Outcome, Sense, Session};

/// A logical unit behind a session.
#[derive(Clone, Debug)]
pub struct Device {
    session: Session,
    lun: Lun,
    timeout: Duration,
}

/// A command did not end with GOOD.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeviceError {
    /// The session failed.
    #[error("{command}: {error}")]
    Session {
        /// What was asked.
        command: &'static str,
        /// How it failed.
        error: InitiatorError,
    },
    /// CHECK CONDITION.
    #[error("{command}: check condition {sense}")]
    Check {
        /// What was asked.
        command: &'static str,
        /// What the device says.
        sense: Sense,
    },
    /// Another status, or CHECK CONDITION without sense data that could be read.
    #[error("{command}: status {status:?}")]
    Status {
        /// What was asked.
        command: &'static str,
        /// The status.
        status: Status,
    },
    /// The answer is shorter than the standard has it, or contradicts itself.
    #[error("{command}: an answer that is not understood")]
    Answer {
        /// What was asked.
        command: &'static str,
    },
}

impl DeviceError {
    /// The sense data of a CHECK CONDITION.
    #[must_use]
    pub fn sense(&self) -> Option<Sense> {
        match self {
            Self::Check { sense, .. } => Some(*sense),
            _ => None,
        }
    }
}

/// Standard INQUIRY data. [SPC-5 6.7.2]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inquiry {
    /// PERIPHERAL DEVICE TYPE: 1 tape, 8 changer.
    pub device_type: u8,
    /// T10 VENDOR IDENTIFICATION without padding.
    pub vendor: String,
    /// PRODUCT IDENTIFICATION without padding.
    pub product: String,
    /// PRODUCT REVISION LEVEL without padding.
    pub revision: String,
}

/// Attentions that [`Device::wait_ready`] takes note of before it gives up.
const MAX_ATTENTIONS: usize = 10;

impl Device {
    /// A logical unit; each call takes at most `timeout`.
    #[must_use]
    pub fn new(session: Session, lun: Lun, timeout: Duration) -> Self {
        Self { session, lun, timeout }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The logical unit number.
    #[must_use]
    pub fn lun(&self) -> Lun {
        self.lun
    }

    /// Executes a command, whatever its status.
    ///
    /// # Errors
    /// [`DeviceError::Session`].
    pub async fn execute(&self, name: &'static str, command: Command) -> Result<Outcome, DeviceError> {
        let outcome = self.session.execute(self.lun, command, self.timeout).await;
        outcome.map_err(|error| DeviceError::Session { command: name, error })
    }

    /// Executes a command that must end with GOOD.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn good(&self, name: &'static str, command: Command) -> Result<Outcome, DeviceError> {
        let outcome = self.execute(name, command).await?;
        match (outcome.status, outcome.sense()) {
            (Status::GOOD, _) => Ok(outcome),
            (Status::CHECK_CONDITION, Some(sense)) => Err(DeviceError::Check { command: name, sense }),
            (status, _) => Err(DeviceError::Status { command: name, status }),
        }
    }

    /// INQUIRY, standard data.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn inquiry(&self) -> Result<Inquiry, DeviceError> {
        let outcome = self.good("INQUIRY", Command::read(&[0x12, 0, 0, 0, 96, 0], 96)).await?;
        let text = |from: usize, to: usize| {
            outcome.data.get(from..to).map(|bytes| String::from_utf8_lossy(bytes).trim_end().to_owned())
        };
        let short = || DeviceError::Answer { command: "INQUIRY" };
        Ok(Inquiry {
            device_type: outcome.data.first().ok_or_else(short)? & 0x1f,
            vendor: text(8, 16).ok_or_else(short)?,
            product: text(16, 32).ok_or_else(short)?,
            revision: text(32, 36).ok_or_else(short)?,
        })
    }

    /// INQUIRY, a page of vital product data.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn vital_product_data(&self, page: u8) -> Result<Bytes, DeviceError> {
        let command = Command::read(&[0x12, 1, page, 0x10, 0, 0], 4096);
        Ok(self.good("INQUIRY", command).await?.data)
    }

    /// The unit serial number, from vital product data page 80h.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn serial_number(&self) -> Result<String, DeviceError> {
        let page = self.vital_product_data(0x80).await?;
        Ok(String::from_utf8_lossy(page.get(4..).unwrap_or_default()).trim().to_owned())
    }

    /// TEST UNIT READY.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn test_unit_ready(&self) -> Result<(), DeviceError> {
        self.good("TEST UNIT READY", Command::new(&[0; 6])).await.map(drop)
    }

    /// TEST UNIT READY until no attention is left; those that were reported, in order.
    ///
    /// # Errors
    /// [`DeviceError`]: what is left then.
    pub async fn wait_ready(&self) -> Result<Vec<Sense>, DeviceError> {
        let mut attentions = Vec::new();
        loop {
            match self.test_unit_ready().await {
                Ok(()) => return Ok(attentions),
                Err(DeviceError::Check { sense, .. })
                    if sense.key == UNIT_ATTENTION && attentions.len() < MAX_ATTENTIONS =>
                {
                    attentions.push(sense);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// REQUEST SENSE; `None` where the answer is in no known form.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn request_sense(&self) -> Result<Option<Sense>, DeviceError> {
        let outcome = self.good("REQUEST SENSE", Command::read(&[3, 0, 0, 0, 252, 0], 252)).await?;
        Ok(Sense::parse(&outcome.data))
    }

    /// REPORT LUNS.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn report_luns(&self) -> Result<Vec<Lun>, DeviceError> {
        let command = Command::read(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0], 4096);
        let data = self.good("REPORT LUNS", command).await?.data;
        let list = data.get(8..).ok_or(DeviceError::Answer { command: "REPORT LUNS" })?;
        Ok(list.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok().map(Lun)).collect())
    }

    /// MODE SENSE(6) with a block descriptor: the current page `page` with its header.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn mode_sense(&self, page: u8) -> Result<Bytes, DeviceError> {
        Ok(self.good("MODE SENSE", Command::read(&[0x1a, 0, page & 0x3f, 0, 255, 0], 255)).await?.data)
    }

    /// MODE SELECT(6) with a parameter list of at most 255 bytes.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn mode_select(&self, list: Bytes) -> Result<(), DeviceError> {
        let length = u8::try_from(list.len()).map_err(|_| DeviceError::Session {
            command: "MODE SELECT",
            error: InitiatorError::Request("a parameter list has at most 255 bytes"),
        })?;
        self.good("MODE SELECT", Command::write(&[0x15, 0x10, 0, 0, length, 0], list)).await.map(drop)
    }

    /// PREVENT ALLOW MEDIUM REMOVAL.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn prevent_removal(&self, prevent: bool) -> Result<(), DeviceError> {
        let command = Command::new(&[0x1e, 0, 0, 0, u8::from(prevent), 0]);
        self.good("PREVENT ALLOW MEDIUM REMOVAL", command).await.map(drop)
    }
}
