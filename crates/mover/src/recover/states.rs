//! The states of a gateway's library: what is in which slot.

use bytes::Bytes;
use capstan_media::GatewayId;

use super::{Look, Remains};
use crate::MoverError;
use crate::place::Placed;

impl Remains {
    /// The changes after which states of a library are there, the newest first.
    ///
    /// # Errors
    /// The tier failed.
    pub fn library_states(&self, gateway: GatewayId) -> Result<Vec<u64>, MoverError> {
        self.wait(self.look.library_states(gateway))
    }

    /// The state after a change.
    ///
    /// # Errors
    /// The tier failed.
    pub fn library_state(&self, gateway: GatewayId, change: u64) -> Result<Option<Bytes>, MoverError> {
        let key = self.look.names.library_state(gateway, change);
        self.wait(async { Ok(self.look.link.look(&key, &[]).await?) })
    }

    /// Creates the state after a change: of all who try, one succeeds. `mark`: random bytes in it.
    ///
    /// # Errors
    /// The tier failed.
    pub fn claim_library_state(
        &self,
        gateway: GatewayId,
        change: u64,
        state: &[u8],
        mark: &[u8],
    ) -> Result<bool, MoverError> {
        let key = self.look.names.library_state(gateway, change);
        let state = Bytes::copy_from_slice(state);
        let placed = self.look.link.place(&key, &state, mark, self.look.read_back);
        self.wait(async { Ok(placed.await? == Placed::Ours) })
    }
}

impl Look {
    pub(super) async fn library_states(&self, gateway: GatewayId) -> Result<Vec<u64>, MoverError> {
        let listed = self.all(&self.names.library_states(gateway)).await?;
        let numbers = listed.iter().filter_map(|object| self.names.parse_library_state(gateway, &object.key));
        let mut numbers: Vec<u64> = numbers.collect();
        // A listing may lag behind.
        let mut next = numbers.iter().max().map_or(0, |last| last.saturating_add(1));
        while self.length(&self.names.library_state(gateway, next)).await?.is_some() {
            numbers.push(next);
            next = next.saturating_add(1);
        }
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        Ok(numbers)
    }
}
