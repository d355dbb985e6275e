//! A tape becomes a cartridge here again, and nobody else's any more.

use bytes::Bytes;
use capstan_format::Meta;
use capstan_format::manifest::{Delta, Kind, Manifest};
use capstan_format::object::WrappedKey;
use capstan_media::GatewayId;
use capstan_store::{Beside, Store};

use super::{Broken, Look, Remains, TapeFound};
use crate::MoverError;
use crate::claims::nonce;
use crate::clock::unix_millis;
use crate::ledger::POINTS;
use crate::place::Placed;

/// Who goes on with tapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Successor {
    /// The gateway.
    pub gateway: GatewayId,
    /// Its writer epoch, at least; above that of any delta it is raised.
    pub epoch: u64,
}

impl Successor {
    /// A gateway that begins now.
    #[must_use]
    pub fn now(gateway: GatewayId) -> Self {
        Self { gateway, epoch: unix_millis() }
    }
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakenOver {
    /// It is ours.
    Ours,
    /// Somebody has written the delta meanwhile: nothing of it is here.
    Another,
}

impl Remains {
    /// Makes a whole cartridge of a tape, without segments, and takes it over in the tier.
    ///
    /// # Errors
    /// Its manifest says nothing, the tier or the disk failed.
    pub fn take_over(&self, store: &Store, tape: &TapeFound, who: Successor) -> Result<TakenOver, MoverError> {
        self.wait(self.look.take_over(store, tape, who))
    }
}

impl Look {
    pub(crate) async fn take_over(
        &self,
        store: &Store,
        found: &TapeFound,
        who: Successor,
    ) -> Result<TakenOver, MoverError> {
        let id = found.tape.cartridge;
        let (Some(manifest), Some(meta)) = (&found.chain.manifest, &found.meta) else {
            return Err(MoverError::Cartridge { id, what: "nothing in the tier says what is on it".to_owned() });
        };
        let meta = raised(meta, manifest, found.highest).encode();
        let nonce = nonce()?;
        let delta = checkpoint(manifest, &meta, found.chain.next, who, nonce);
        let shipped = delta.encode();
        let key: Vec<u8> = found.wrapped.iter().flat_map(WrappedKey::encode).collect();
        if let Some(broken) = &found.chain.broken {
            self.note_cut(found, broken, nonce).await?;
        }
        // Locally first: the tier is never ahead of what is here.
        store.bring_back(id, &Beside { meta: &meta, shipped: &shipped, key: (!key.is_empty()).then_some(&key) })?;
        let name = self.names.delta(&found.tape, delta.number);
        match self.link.place(&name, &Bytes::from(shipped), &nonce, self.read_back).await? {
            Placed::Ours => Ok(TakenOver::Ours),
            Placed::Other(_) => {
                store.claim(id)?.delete()?;
                Ok(TakenOver::Another)
            }
        }
    }
}

impl Look {
    /// Objects that only the deltas behind the broken one name may be all that is left of them: no scrub takes them for
    /// those of attempts that were given up.
    async fn note_cut(&self, found: &TapeFound, broken: &Broken, nonce: [u8; 16]) -> Result<(), MoverError> {
        let key = self.names.cut(&found.tape, broken.number);
        let mark: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!(
            "{mark}\nThis tape was recovered as it was before delta {}: {}.\nObjects of segments that no delta names now may be \
             those of deltas behind it: they are not deleted while this object is here.\n",
            broken.number, broken.why
        );
        // Whoever was here before has left the same.
        self.link.place(&key, &Bytes::from(text), mark.as_bytes(), self.read_back).await?;
        Ok(())
    }
}

/// Numbers and epochs of segments go on above all that were ever used, also by attempts that no delta names.
fn raised(meta: &Meta, manifest: &Manifest, (sequence, epoch): (u64, u64)) -> Meta {
    let rows = || manifest.rows.values().map(|row| (row.sequence, row.epoch));
    let releases = || manifest.releases.iter().map(|release| (release.sequence, release.epoch));
    let sequence = rows().chain(releases()).map(|(used, _)| used).fold(sequence, u64::max);
    let epoch = rows().chain(releases()).map(|(_, used)| used).fold(epoch.max(meta.epoch), u64::max);
    Meta {
        open: false,
        epoch: epoch.saturating_add(1),
        next_sequence: meta.next_sequence.max(sequence.saturating_add(1)),
        ..meta.clone()
    }
}

/// All that counts, as the next delta.
fn checkpoint(manifest: &Manifest, meta: &[u8], number: u64, who: Successor, nonce: [u8; 16]) -> Delta {
    let skipped = manifest.points.len().saturating_sub(POINTS);
    Delta {
        kind: Kind::Checkpoint,
        number,
        cartridge: manifest.cartridge,
        writer: who.gateway,
        writer_epoch: who.epoch.max(manifest.writer_epoch.saturating_add(1)),
        nonce,
        written: unix_millis(),
        meta: Some(meta.to_vec()),
        rows: manifest.rows.values().cloned().collect(),
        releases: manifest.releases.clone(),
        points: manifest.points.iter().skip(skipped).copied().collect(),
        handed_over: None,
    }
}
