//! What is asked about keys.

use super::{Client, ClientError};
use crate::{ConfirmBackup, KeyReport, Keys, RemoveOldKeys, RotateKeys, VerifyKeys, path};

impl Client {
    /// The keys of all cartridges.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn keys(&self) -> Result<Keys, ClientError> {
        self.get(path::KEYS).await
    }

    /// Says that there is another copy of the wrapping key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn confirm_key_backup(&self, request: &ConfirmBackup) -> Result<Keys, ClientError> {
        self.post(path::KEY_BACKUP, request).await
    }

    /// Opens the wrapped keys of all cartridges.
    ///
    /// # Errors
    /// [`ClientError`]. What cannot be opened is in the answer.
    pub async fn verify_keys(&self, request: &VerifyKeys) -> Result<KeyReport, ClientError> {
        self.post(path::KEY_VERIFY, request).await
    }

    /// Wraps the keys of all cartridges with another key as well.
    ///
    /// # Errors
    /// [`ClientError`]. What could not be done is in the answer.
    pub async fn rotate_keys(&self, request: &RotateKeys) -> Result<KeyReport, ClientError> {
        self.post(path::KEY_ROTATE, request).await
    }

    /// Removes what is wrapped with older keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove_old_keys(&self) -> Result<KeyReport, ClientError> {
        self.post(path::KEY_REMOVE_OLD, &RemoveOldKeys {}).await
    }
}
