//! Cartridges that change from one gateway to another. Nothing does so by itself: the one that has a cartridge gives it away,
//! or an operator says that this gateway is lost. Of all who want to write the next delta one does, as always.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use capstan_format::Meta;
use capstan_format::manifest::{Claim, ClaimKind};
use capstan_media::{Barcode, CartridgeId, GatewayId};
use capstan_tier::names::TapeName;
use tokio::time::sleep;

use crate::MoverError;
use crate::notice::NoticeKind;
use crate::recover::{KeyFound, Look, Successor, TakenOver, TapeFound};
use crate::ship::Dock;
use crate::view::{Adopted, ForeignTape};

/// Between two looks at whether a cartridge is given.
const PAUSE: Duration = Duration::from_millis(50);

/// A cartridge that is to be given away, until it is, or whoever asked has gone.
struct Wish<'a> {
    dock: &'a Dock,
    id: CartridgeId,
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        if !self.dock.gifts.is_given(self.id) {
            self.dock.gifts.forget(self.id);
        }
    }
}

impl Dock {
    fn look(&self) -> Look {
        Look {
            link: Arc::clone(&self.link),
            names: self.names.clone(),
            wrapping: self.keys.wrapping().cloned(),
            read_back: self.reads_back(),
        }
    }

    fn check_ready(&self) -> Result<(), MoverError> {
        if self.may_ship() {
            return Ok(());
        }
        Err(MoverError::NotGiven {
            what: format!("tier {} is paused, or not known to be the right one yet", self.link.tier.name()),
            next: "`capstan tier status` says which; try again then".to_owned(),
        })
    }

    /// The cartridges of other gateways.
    pub(crate) async fn foreign(&self) -> Result<Vec<ForeignTape>, MoverError> {
        let look = self.look();
        let names: HashMap<GatewayId, String> =
            look.gateways().await?.into_iter().map(|gateway| (gateway.id, gateway.name)).collect();
        let store = self.store.clone();
        let here: HashSet<CartridgeId> =
            tokio::task::spawn_blocking(move || store.list()).await??.into_iter().collect();
        let mut found = Vec::new();
        for object in look.all(&self.names.barcodes()).await? {
            let Some((Claim { kind: ClaimKind::Barcode(barcode, cartridge), gateway, .. }, _)) =
                look.claim(&object.key).await?
            else {
                continue;
            };
            if here.contains(&cartridge) {
                continue;
            }
            let tape = TapeName { barcode, cartridge };
            let chain = look.chain(&tape).await?;
            let manifest = chain.manifest.as_ref();
            let owner = manifest.map_or(gateway, |manifest| manifest.writer);
            let meta = manifest.and_then(|manifest| Meta::decode(manifest.meta.as_deref()?).ok());
            found.push(ForeignTape {
                barcode: tape.barcode,
                id: cartridge,
                owner,
                owner_name: names.get(&owner).cloned(),
                size: meta.as_ref().map_or(0, |meta| meta.capacity),
                used: meta.as_ref().map_or(0, |meta| meta.end.byte),
                written: chain.written,
                handed_over: manifest.and_then(|manifest| manifest.handed_over).map(|given| given.to),
                problem: chain.broken.map(|broken| format!("delta {}: {}", broken.number, broken.why)),
            });
        }
        Ok(found)
    }

    /// What a clone shares is its origin's, whose gateway must not lose sight of it.
    async fn check_not_shared(&self, id: CartridgeId) -> Result<(), MoverError> {
        let store = self.store.clone();
        let shared = tokio::task::spawn_blocking(move || {
            let meta = Meta::decode(&store.read_meta(id)?);
            let meta = meta.map_err(|error| MoverError::Cartridge { id, what: error.to_string() })?;
            let clones = capstan_cartridge::clones_of(&store, id);
            let clones = clones.map_err(|error| MoverError::Cartridge { id, what: error.to_string() })?;
            Ok::<_, MoverError>(meta.origins.into_iter().map(|origin| origin.barcode).chain(clones).collect::<Vec<_>>())
        });
        let shared = shared.await??;
        if shared.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = shared.iter().map(Barcode::as_str).collect();
        Err(MoverError::NotGiven {
            what: format!("it shares objects in the tier with {}", names.join(", ")),
            next: "`capstan tape export` and `tape import` make a cartridge of its own".to_owned(),
        })
    }

    /// Gives a cartridge away.
    pub(crate) async fn hand_over(&self, id: CartridgeId, to: Option<&str>) -> Result<(), MoverError> {
        self.check_ready()?;
        let to = match to {
            Some(name) => Some(self.gateway_called(name).await?),
            None => None,
        };
        self.check_not_shared(id).await?;
        // From when it is wanted it may be given at any moment, so nothing is refused behind that. Given back, the cartridge
        // is looked at again, and then has a task.
        let claim = self.store.claim(id)?;
        self.gifts.want(id, to);
        let _wish = Wish { dock: self, id };
        drop(claim);
        while !self.gifts.is_given(id) {
            if self.fenced().contains(&id) {
                return Err(MoverError::NotGiven {
                    what: "another gateway goes on with it: it is not ours to give".to_owned(),
                    next: "`capstan tape show` says what of it is only here".to_owned(),
                });
            }
            sleep(PAUSE).await;
        }
        let barcode = self.known(id).await.ok().map(|(tape, _)| tape.barcode);
        let text = match to {
            Some(to) => format!("all of it is in the tier, for gateway {to}"),
            None => "all of it is in the tier, for whoever adopts it".to_owned(),
        };
        self.listener.tell(NoticeKind::HandedOver, barcode.as_ref(), text);
        Ok(())
    }

    async fn gateway_called(&self, wanted: &str) -> Result<GatewayId, MoverError> {
        let all = self.look().gateways().await?;
        let mut found = all.iter().filter(|it| it.name == wanted || it.id.to_string() == wanted);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.id),
            (None, _) => Err(MoverError::NotGiven {
                what: format!("no gateway {wanted:?} has used the tier"),
                next: "start it once, or leave --to out: then whoever wants the cartridge may adopt it".to_owned(),
            }),
            (Some(_), Some(_)) => Err(MoverError::NotGiven {
                what: format!("more than one gateway is called {wanted:?}"),
                next: "name it by its UUID".to_owned(),
            }),
        }
    }

    /// Takes a cartridge over.
    pub(crate) async fn adopt(&self, barcode: &Barcode, force: bool) -> Result<Adopted, MoverError> {
        self.check_ready()?;
        let look = self.look();
        let claim = look.claim(&self.names.barcode(barcode)).await?;
        let Some((Claim { kind: ClaimKind::Barcode(_, cartridge), .. }, _)) = claim else {
            return Err(MoverError::NotInTier(barcode.clone()));
        };
        let found = look.tape(TapeName { barcode: barcode.clone(), cartridge }).await?;
        let (Some(facts), Some(manifest)) = (found.facts(), &found.chain.manifest) else {
            return Err(MoverError::NotInTier(barcode.clone()));
        };
        let owner = manifest.writer;
        if let Some(adopted) = self.is_here(&found, owner).await? {
            return Ok(adopted);
        }
        self.check_adoptable(&found, force)?;
        let who = Successor { gateway: self.writer.gateway, epoch: self.writer.epoch };
        if look.take_over(&self.store, &found, who).await? == TakenOver::Another {
            return Err(MoverError::NotGiven {
                what: format!("another gateway was faster: it goes on with {barcode}"),
                next: "`capstan tape list --foreign` shows who has it".to_owned(),
            });
        }
        self.gifts.forget(cartridge);
        self.fenced().remove(&cartridge);
        self.board().remove(&cartridge);
        drop(self.store.claim(cartridge)?);
        self.listener.tell(NoticeKind::Adopted, Some(barcode), format!("it was gateway {owner}'s"));
        Ok(Adopted { facts, owner })
    }

    /// A cartridge that lies here: taken over before and not listed yet, or what is left of one that is another's.
    async fn is_here(&self, found: &TapeFound, owner: GatewayId) -> Result<Option<Adopted>, MoverError> {
        let (id, barcode) = (found.tape.cartridge, found.tape.barcode.clone());
        let store = self.store.clone();
        let inspected = tokio::task::spawn_blocking(move || match store.look_at(id) {
            Ok(_) => capstan_cartridge::inspect(&store, id).map(Some).map_err(|error| error.to_string()),
            Err(_) => Ok(None),
        });
        let inspected = inspected.await?.map_err(|what| MoverError::Cartridge { id, what })?;
        match inspected {
            None => Ok(None),
            Some(facts) if !facts.fenced && owner == self.writer.gateway => Ok(Some(Adopted { facts, owner })),
            Some(_) => Err(MoverError::NotGiven {
                what: format!("{barcode} is here, with what was written to it before another gateway went on with it"),
                next: "copy what is only here to another tape, and delete it; then adopt it".to_owned(),
            }),
        }
    }

    fn check_adoptable(&self, found: &TapeFound, force: bool) -> Result<(), MoverError> {
        if let KeyFound::Closed(what) = &found.key {
            let next = "put the file with that key into encrypt_key_file and start again".to_owned();
            return Err(MoverError::NotGiven { what: what.clone(), next });
        }
        let Some(manifest) = &found.chain.manifest else { return Ok(()) };
        let mine = |to: Option<GatewayId>| to.is_none_or(|to| to == self.writer.gateway);
        if force || (manifest.handed_over.is_some_and(|given| mine(given.to)) && found.chain.broken.is_none()) {
            return Ok(());
        }
        let barcode = &found.tape.barcode;
        let what = match (&found.chain.broken, manifest.handed_over) {
            (Some(broken), _) => format!("delta {} of its manifest cannot be used: {}", broken.number, broken.why),
            (None, Some(given)) => {
                format!("{barcode} was given to gateway {}", given.to.unwrap_or(manifest.writer))
            }
            (None, None) => format!("gateway {} has {barcode}, and has not given it away", manifest.writer),
        };
        let next = format!(
            "let it be given away there: `capstan tape handover {barcode}`; if that gateway is lost, `--force` takes it, and \
             the other one is fenced should it run still"
        );
        Err(MoverError::NotGiven { what, next })
    }
}
