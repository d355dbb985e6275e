//! What is in a tier: claims and tapes.

use std::collections::BTreeMap;

use crate::error::{Damage, Error};
use crate::format::{Claim, Uuid};
use crate::source::Source;
use crate::tape::TapeName;

/// The prefix of barcodes' claims.
pub(crate) const BARCODES: &str = "v1/barcodes/";
/// The prefix of gateways' claims.
pub(crate) const GATEWAYS: &str = "v1/gateways/";
/// The prefix of tapes.
pub(crate) const TAPES: &str = "v1/tapes/";

/// Who has what barcode.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) barcodes: BTreeMap<String, Claim>,
    /// Names of gateways.
    pub(crate) gateways: BTreeMap<Uuid, String>,
    pub(crate) damage: Vec<Damage>,
}

impl Claims {
    pub(crate) fn read(source: &dyn Source) -> Result<Self, Error> {
        let mut claims = Self::default();
        for listed in source.list(BARCODES)? {
            let barcode = listed.key.strip_prefix(BARCODES).unwrap_or_default();
            let rule = |claim: &Claim| claim.is_barcode && claim.name == barcode;
            if let Some(claim) = claims.claim(source, &listed.key, rule)? {
                claims.barcodes.insert(barcode.to_owned(), claim);
            }
        }
        for gateway in source.folders(GATEWAYS)? {
            let key = format!("{GATEWAYS}{gateway}/claim");
            let rule = |claim: &Claim| !claim.is_barcode && claim.gateway.to_string() == gateway;
            if let Some(claim) = claims.claim(source, &key, rule)? {
                claims.gateways.insert(claim.gateway, claim.name);
            }
        }
        Ok(claims)
    }

    fn claim(&mut self, source: &dyn Source, key: &str, rule: impl Fn(&Claim) -> bool) -> Result<Option<Claim>, Error> {
        let bytes = match crate::error::found(source.whole(key, 4096))? {
            Ok(bytes) => bytes,
            Err(damage) => {
                self.damage.push(damage);
                return Ok(None);
            }
        };
        match Claim::decode(&bytes) {
            Ok(claim) if rule(&claim) => return Ok(Some(claim)),
            Ok(_) => self.damage.push(Damage::new(key, "it is a claim of something else")),
            Err(bad) => self.damage.push(Damage::new(key, bad)),
        }
        Ok(None)
    }

    /// A gateway as people know it.
    pub(crate) fn gateway(&self, gateway: Uuid) -> String {
        self.gateways.get(&gateway).cloned().unwrap_or_else(|| gateway.to_string())
    }
}

/// Every cartridge that something is stored of, and folders that are none.
pub(crate) fn tapes(source: &dyn Source) -> Result<Vec<TapeName>, Error> {
    let mut tapes = Vec::new();
    for barcode in source.folders(TAPES)? {
        tapes.extend(of_barcode(source, &barcode)?);
    }
    Ok(tapes)
}

fn of_barcode(source: &dyn Source, barcode: &str) -> Result<Vec<TapeName>, Error> {
    let folders = source.folders(&format!("{TAPES}{barcode}/"))?;
    let name = |uuid: Uuid| TapeName { barcode: barcode.to_owned(), cartridge: uuid };
    Ok(folders.iter().filter_map(|folder| Uuid::parse(folder)).map(name).collect())
}

/// The cartridge that somebody means by `BARCODE` or `BARCODE/UUID`.
pub(crate) fn find(source: &dyn Source, wanted: &str) -> Result<TapeName, Error> {
    let (barcode, uuid) = wanted.split_once('/').map_or((wanted, None), |(barcode, uuid)| (barcode, Some(uuid)));
    if barcode.is_empty() || barcode.starts_with('.') || barcode.contains(['/', '\\']) {
        return Err(Error::Usage(format!("{wanted} is not a barcode")));
    }
    let mut tapes = of_barcode(source, barcode)?;
    if let Some(uuid) = uuid {
        tapes.retain(|tape| tape.cartridge.to_string() == uuid);
    } else if tapes.len() > 1
        && let Ok(bytes) = source.whole(&format!("{BARCODES}{barcode}"), 4096)
        && let Ok(claim) = Claim::decode(&bytes)
    {
        tapes.retain(|tape| tape.cartridge == claim.cartridge);
    }
    let names = || tapes.iter().map(|tape| format!("{barcode}/{}", tape.cartridge)).collect::<Vec<_>>().join(", ");
    match tapes.as_slice() {
        [tape] => Ok(tape.clone()),
        [] => Err(Error::Absent(format!("nothing of {wanted} is in {}", source.name()))),
        _ => Err(Error::Usage(format!("there are several cartridges with this barcode: {}", names()))),
    }
}
