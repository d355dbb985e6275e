//! Which gateways there are, and which tapes were claimed by whom.

use std::path::Path;

use bytes::Bytes;
use capstan_disk::Disk;
use capstan_format::manifest::{Claim, ClaimKind};
use capstan_media::GatewayId;
use capstan_tier::names::TapeName;

use super::{Look, Remains, Told};
use crate::MoverError;
use crate::claims::{claim_path, write_new};
use crate::mover::make_directory;

/// A gateway that has used the tier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GatewayFound {
    /// Who.
    pub id: GatewayId,
    /// Its name.
    pub name: String,
    /// When it came first: milliseconds since 1970 UTC.
    pub since: u64,
    /// Its claim, byte for byte.
    pub claim: Bytes,
}

/// A tape, and the gateway that has claimed its barcode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedTape {
    /// The tape.
    pub tape: TapeName,
    /// Who made it.
    pub by: GatewayId,
}

impl Remains {
    /// The gateways that have used the tier.
    ///
    /// # Errors
    /// The tier failed.
    pub fn gateways(&self) -> Result<Vec<GatewayFound>, MoverError> {
        self.wait(self.look.gateways())
    }

    /// All tapes whose barcodes are claimed, and the keys of claims that cannot be read.
    ///
    /// # Errors
    /// The tier failed.
    pub fn claimed(&self, told: Told<'_>) -> Result<(Vec<ClaimedTape>, Vec<String>), MoverError> {
        let keys = self.wait(self.look.all(&self.look.names.barcodes()))?;
        let keys: Vec<String> = keys.into_iter().map(|object| object.key).collect();
        let read = self.each(keys, told, |look, key| async move {
            Ok(match look.claim(&key).await? {
                Some((Claim { gateway, kind: ClaimKind::Barcode(barcode, cartridge), .. }, _))
                    if look.names.barcode(&barcode) == key =>
                {
                    Ok(ClaimedTape { tape: TapeName { barcode, cartridge }, by: gateway })
                }
                Some(_) | None => Err(key),
            })
        })?;
        let (good, bad): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
        Ok((good.into_iter().flatten().collect(), bad.into_iter().filter_map(Result::err).collect()))
    }
}

impl GatewayFound {
    /// Writes down in the mover's directory that this gateway has used the tier, durably: from the next start on it is
    /// that gateway.
    ///
    /// # Errors
    /// The disk failed.
    pub fn remember(&self, state_dir: &Path, tier: &str, disk: &dyn Disk) -> Result<(), MoverError> {
        make_directory(disk, state_dir)?;
        let path = claim_path(state_dir, tier);
        let written = write_new(disk, &path, &self.claim);
        written.map_err(|error| MoverError::Start(format!("cannot write {}: {error}", path.display())))
    }
}

impl Look {
    pub(crate) async fn gateways(&self) -> Result<Vec<GatewayFound>, MoverError> {
        let mut found = Vec::new();
        for object in self.all(&self.names.gateways()).await? {
            let Some(id) = self.names.parse_gateway(&object.key) else { continue };
            if let Some((Claim { kind: ClaimKind::Gateway(name), gateway, created, .. }, claim)) =
                self.claim(&object.key).await?
                && gateway == id
            {
                found.push(GatewayFound { id, name, since: created, claim });
            }
        }
        Ok(found)
    }

    /// A claim and its bytes; `None` if it is not there or proves nothing.
    pub(crate) async fn claim(&self, key: &str) -> Result<Option<(Claim, Bytes)>, MoverError> {
        let bytes = self.link.look_for(key, |bytes| Claim::decode(bytes).is_ok()).await?;
        Ok(bytes.and_then(|bytes| Some((Claim::decode(&bytes).ok()?, bytes))))
    }
}
