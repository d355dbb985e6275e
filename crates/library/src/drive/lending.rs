//! All drives, for whoever ships the cartridges in them.

use std::fmt;
use std::sync::Arc;

use capstan_media::CartridgeId;
use capstan_mover::{Keeper, Work};

use super::gauge::Gauge;
use super::helm::DriveMouth;
use super::request::Lent;

/// The drives of a library.
pub(crate) struct Lending(Vec<(DriveMouth, Arc<Gauge>)>);

impl Lending {
    pub(crate) fn new(drives: Vec<(DriveMouth, Arc<Gauge>)>) -> Self {
        Self(drives)
    }
}

impl Keeper for Lending {
    fn lend(&self, cartridge: CartridgeId, work: Work) -> Result<(), Work> {
        let drive = self.0.iter().find(|(_, gauge)| gauge.threaded() == Some(cartridge));
        let Some((mouth, _)) = drive else { return Err(work) };
        mouth.lend(Lent { cartridge, work }).map_err(|lent| lent.work)
    }
}

impl fmt::Debug for Lending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lending").field("drives", &self.0.len()).finish()
    }
}
