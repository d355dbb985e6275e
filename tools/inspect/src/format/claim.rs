//! Claims of barcodes and gateways (`manifest-v1.md`).

use super::Uuid;
use super::fields::{Bad, Fields};

/// Who has a barcode, or that a gateway is here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Claim {
    /// It is of a barcode, not of a gateway.
    pub(crate) is_barcode: bool,
    /// Who claims.
    pub(crate) gateway: Uuid,
    /// The cartridge that has the barcode.
    pub(crate) cartridge: Uuid,
    /// The barcode, or the gateway's name.
    pub(crate) name: String,
}

impl Claim {
    pub(crate) const LENGTH: usize = 256;

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let fields = Fields::proven(bytes, Self::LENGTH, "CAPSTCLM", 1..=1)?;
        if bytes.len() != Self::LENGTH {
            return Err(Bad::Field("length", u64::try_from(bytes.len()).unwrap_or(u64::MAX)));
        }
        let kind = fields.u16(10)?;
        if !matches!(kind, 1 | 2) {
            return Err(Bad::Field("kind", kind.into()));
        }
        Ok(Self {
            is_barcode: kind == 1,
            gateway: Uuid(fields.array(16)?),
            cartridge: Uuid(fields.array(32)?),
            name: fields.text(80, 128, "name")?,
        })
    }
}
