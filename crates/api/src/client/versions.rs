//! Questions about older versions of tapes.

use capstan_media::Barcode;

use super::{Client, ClientError};
use crate::{ChangeVersion, CloneTape, RollBack, Tape, TapeVersions, path};

impl Client {
    /// A tape and its older versions.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn versions(&self, barcode: &Barcode) -> Result<TapeVersions, ClientError> {
        self.get(&path::versions(barcode)).await
    }

    /// Holds, lets go of or forgets an older version of a tape.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn change_version(&self, barcode: &Barcode, change: &ChangeVersion) -> Result<TapeVersions, ClientError> {
        self.post(&path::versions(barcode), change).await
    }

    /// Makes a cartridge that begins with what another one holds.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn clone_tape(&self, barcode: &Barcode, clone: &CloneTape) -> Result<Tape, ClientError> {
        self.post(&path::clone(barcode), clone).await
    }

    /// Makes an older version of a tape the tape again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn roll_back(&self, barcode: &Barcode, to: u32) -> Result<TapeVersions, ClientError> {
        self.post(&path::roll_back(barcode), &RollBack { to }).await
    }
}
