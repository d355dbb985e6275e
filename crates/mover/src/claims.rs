//! Whose a tier is: the gateway's own claim, and those of barcodes.
//!
//! A gateway that has used a tier before finds its claim there. If it does not, what is there is not that tier (a file
//! system that is not mounted, another bucket), and shipping to it would tear tapes apart.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use capstan_disk::{Disk, Mode, read_up_to, write_all_at};
use capstan_format::manifest::{CLAIM_LENGTH, Claim, ClaimKind};
use capstan_format::wide;
use capstan_media::GatewayId;
use capstan_tier::names::{Names, TapeName};

use crate::MoverError;
use crate::clock::unix_millis;
use crate::link::Link;
use crate::place::{Placed, carries};

/// Who claims, and where what it claimed is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Claimant {
    pub(crate) gateway: GatewayId,
    pub(crate) name: String,
    pub(crate) state_dir: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
}

/// What became of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Claimed {
    /// It is ours.
    Ours,
    /// It is not, or what is there is not what it was: why.
    Refused(String),
}

impl Claimant {
    pub(crate) fn path(&self, tier: &str) -> PathBuf {
        claim_path(&self.state_dir, tier)
    }

    /// Makes sure that the tier is the one that this gateway has used before, or one that it can begin to use.
    ///
    /// A new claim is written down before it is created, and counts as used only once it is there: whatever happens
    /// between, the next attempt makes the same claim.
    pub(crate) async fn claim_tier(&self, link: &Link, names: &Names, read_back: bool) -> Result<Claimed, MoverError> {
        let tier = link.tier.name();
        let key = names.gateway(self.gateway);
        if let Some(claim) = remembered(self.disk.as_ref(), &self.path(tier))? {
            return self.claim_again(link, &key, &claim, read_back).await;
        }
        if let Some(refusal) = self.namesake(link, names).await? {
            return Ok(Claimed::Refused(refusal));
        }
        let draft = self.draft(tier);
        let claim = match remembered(self.disk.as_ref(), &draft)? {
            Some(claim) => claim,
            None => {
                let claim = self.new_claim()?;
                self.remember(&draft, &claim)?;
                claim
            }
        };
        let claim = Bytes::from(claim);
        if link.place(&key, &claim, &mark(&claim), read_back).await? != Placed::Ours {
            let why = format!("{key} is taken: another gateway runs with a copy of this one's state");
            return Ok(Claimed::Refused(why));
        }
        self.remember(&self.path(tier), &claim)?;
        let removed = self.disk.remove_file(&draft);
        removed.map_err(|error| MoverError::Start(format!("cannot remove {}: {error}", draft.display())))?;
        Ok(Claimed::Ours)
    }

    /// Looks for the claim that was made before.
    async fn claim_again(&self, link: &Link, key: &str, claim: &[u8], read_back: bool) -> Result<Claimed, MoverError> {
        Ok(match link.look(key, claim).await? {
            Some(found) if found == claim => Claimed::Ours,
            Some(found) if Claim::decode(&found).is_err() && carries(&found, &mark(claim)) => {
                tracing::error!(key, "this gateway's claim is damaged in the tier: it is replaced");
                link.delete(key).await?;
                match link.place(key, &Bytes::copy_from_slice(claim), &mark(claim), read_back).await? {
                    Placed::Ours => Claimed::Ours,
                    Placed::Other(_) => Claimed::Refused(format!("{key} is taken")),
                }
            }
            Some(found) if Claim::decode(&found).is_err() => Claimed::Refused(format!(
                "{key}, by which this gateway knows it again, is damaged, and it cannot be told whose it is: look at \
                 it, and put this state's claim, {}, in its place",
                self.path(link.tier.name()).display()
            )),
            Some(_) => Claimed::Refused(format!(
                "{key} is not the claim of this gateway's state: another gateway runs with a copy of it"
            )),
            None => Claimed::Refused(format!(
                "{key}, by which this gateway knows it again, is not there: it is another tier, or not mounted; if it \
                 was emptied on purpose, remove {}",
                self.path(link.tier.name()).display()
            )),
        })
    }

    /// Another gateway of this name, whose state this one may have lost.
    async fn namesake(&self, link: &Link, names: &Names) -> Result<Option<String>, MoverError> {
        let mut after = None;
        loop {
            let page = link.list(&names.gateways(), after.as_deref()).await?;
            for object in page.objects {
                if object.length != wide(CLAIM_LENGTH) || !object.key.ends_with("/claim") {
                    continue;
                }
                let Some(claim) = read_claim(link, &object.key).await? else { continue };
                let is_namesake = claim.kind == ClaimKind::Gateway(self.name.clone());
                if is_namesake && claim.gateway != self.gateway {
                    return Ok(Some(format!(
                        "gateway {:?} has used it before, as {}, and this state directory is not that gateway's: \
                         recover its state, or give this gateway another name",
                        self.name, claim.gateway
                    )));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    fn new_claim(&self) -> Result<Vec<u8>, MoverError> {
        let kind = ClaimKind::Gateway(self.name.clone());
        let claim = Claim { gateway: self.gateway, kind, nonce: nonce()?, created: unix_millis() };
        let encoded = claim.encode().map(|bytes| bytes.to_vec());
        encoded
            .ok_or_else(|| MoverError::Start(format!("gateway name {:?}: it cannot be claimed in a tier", self.name)))
    }

    /// Claims the barcode of a cartridge, for ever.
    pub(crate) async fn claim_barcode(
        &self,
        link: &Link,
        names: &Names,
        tape: &TapeName,
        read_back: bool,
    ) -> Result<Claimed, MoverError> {
        let key = names.barcode(&tape.barcode);
        let kind = ClaimKind::Barcode(tape.barcode.clone(), tape.cartridge);
        let claim = Claim { gateway: self.gateway, kind: kind.clone(), nonce: nonce()?, created: unix_millis() };
        let Some(bytes) = claim.encode() else { return Ok(Claimed::Refused("it cannot be claimed".to_owned())) };
        let bytes = Bytes::from(bytes.to_vec());
        Ok(match link.place(&key, &bytes, &claim.nonce, read_back).await? {
            Placed::Ours => Claimed::Ours,
            Placed::Other(there) => match Claim::decode(&there) {
                Ok(there) if (there.gateway, &there.kind) == (self.gateway, &kind) => Claimed::Ours,
                Ok(there) => Claimed::Refused(format!(
                    "barcode {} belongs to another cartridge, of gateway {}",
                    tape.barcode, there.gateway
                )),
                Err(_) => Claimed::Refused(format!(
                    "{key} is there and is no claim, so that it cannot be told whose barcode {} is: look at it, and \
                     delete it if it is nobody's",
                    tape.barcode
                )),
            },
        })
    }

    fn pause_mark(&self, tier: &str) -> PathBuf {
        self.state_dir.join(format!("{tier}.paused"))
    }

    /// Whether an operator has paused a tier.
    pub(crate) fn is_paused(&self, tier: &str) -> Result<bool, MoverError> {
        let path = self.pause_mark(tier);
        match self.disk.length(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(MoverError::Start(format!("cannot look at {}: {error}", path.display()))),
        }
    }

    /// Remembers whether a tier is paused, durably.
    pub(crate) fn remember_paused(&self, tier: &str, paused: bool) -> Result<(), MoverError> {
        let path = self.pause_mark(tier);
        let done = match paused {
            true => write_new(self.disk.as_ref(), &path, &[]),
            false => match self.disk.remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => self.disk.sync_directory(&self.state_dir),
            },
        };
        done.map_err(|error| MoverError::Start(format!("cannot change {}: {error}", path.display())))
    }

    fn confirmed_path(&self, tier: &str) -> PathBuf {
        self.state_dir.join(format!("{tier}.key-backup"))
    }

    /// The wrapping key of which somebody has shown another copy.
    pub(crate) fn confirmed_key(&self, tier: &str) -> Result<Option<String>, MoverError> {
        let path = self.confirmed_path(tier);
        match self.disk.open(&path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, wide(CLAIM_LENGTH))) {
            Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(MoverError::Start(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// Remembers it, durably.
    pub(crate) fn remember_confirmed(&self, tier: &str, wrapping_key: &str) -> Result<(), MoverError> {
        let path = self.confirmed_path(tier);
        let written = write_new(self.disk.as_ref(), &path, wrapping_key.as_bytes());
        written.map_err(|error| MoverError::Start(format!("cannot write {}: {error}", path.display())))
    }

    /// Where a claim is written down before it is made.
    fn draft(&self, tier: &str) -> PathBuf {
        self.state_dir.join(format!("{tier}.claim-new"))
    }

    fn remember(&self, path: &Path, claim: &[u8]) -> Result<(), MoverError> {
        let failed = |error: std::io::Error| MoverError::Start(format!("cannot write {}: {error}", path.display()));
        write_new(self.disk.as_ref(), path, claim).map_err(failed)
    }
}

/// Where a gateway remembers what it claimed.
pub(crate) fn claim_path(state_dir: &Path, tier: &str) -> PathBuf {
    state_dir.join(format!("{tier}.claim"))
}

/// The claim that is remembered.
pub(crate) fn remembered(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, MoverError> {
    match disk.open(path, Mode::Read).and_then(|file| read_up_to(file.as_ref(), 0, wide(CLAIM_LENGTH))) {
        Ok(bytes) if Claim::decode(&bytes).is_ok() => Ok(Some(bytes)),
        // Cut off by a crash: what counts is written down elsewhere still, or was not used.
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(MoverError::Start(format!("cannot read {}: {error}", path.display()))),
    }
}

/// Writes a small file anew, durably.
pub(crate) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let file = disk.open(path, Mode::Create)?;
    write_all_at(file.as_ref(), &mut [std::io::IoSlice::new(bytes)], 0).map_err(|stop| stop.error)?;
    file.sync_data()?;
    disk.sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// The random bytes of a claim.
fn mark(claim: &[u8]) -> Vec<u8> {
    Claim::decode(claim).map(|claim| claim.nonce.to_vec()).unwrap_or_default()
}

/// The claim under a key; `None` if there is none.
async fn read_claim(link: &Link, key: &str) -> Result<Option<Claim>, MoverError> {
    Ok(link.look(key, &[]).await?.and_then(|bytes| Claim::decode(&bytes).ok()))
}

/// 16 random bytes.
pub(crate) fn nonce() -> Result<[u8; 16], MoverError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| MoverError::Start(format!("no random numbers: {error}")))?;
    Ok(nonce)
}
