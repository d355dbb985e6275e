//! The keys of objects in a tier, and back.
//!
//! ```text
//! <prefix>v1/barcodes/<barcode>
//! <prefix>v1/gateways/<gateway>/claim
//! <prefix>v1/gateways/<gateway>/state/<change, 10 digits>
//! <prefix>v1/tapes/<barcode>/<cartridge>/key/<number, 6 digits>
//! <prefix>v1/tapes/<barcode>/<cartridge>/manifest/<number, 10 digits>
//! <prefix>v1/tapes/<barcode>/<cartridge>/segments/<sequence, 9 digits>-<epoch, 16 hex>-<random, 16 hex>
//! <prefix>v1/probe/<random, 16 hex>
//! ```
//! Identities are UUIDs in lower-case hexadecimal, 8-4-4-4-12; hexadecimal numbers are lower case with leading zeros.

use capstan_media::{Barcode, CartridgeId, GatewayId};

/// What a tier's keys begin with: the configured prefix. Empty, or text that ends with `/`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Names {
    prefix: String,
}

/// Why a text is no prefix.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} is no prefix: it has to be parts of A-Z a-z 0-9 - _ . $ +, none beginning with a dot, each followed by /"
)]
pub struct PrefixError(String);

/// Where in a tier a tape lies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TapeName {
    /// Its label.
    pub barcode: Barcode,
    /// Which of all that ever had the label.
    pub cartridge: CartridgeId,
}

/// What tells the object of one segment from all others of the tape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SegmentName {
    /// The segment's number.
    pub sequence: u64,
    /// The segment's epoch.
    pub epoch: u64,
    /// A number that nobody else has drawn.
    pub random: u64,
}

impl Names {
    /// Checks a prefix: a `/` at its end is added if it is missing.
    ///
    /// # Errors
    /// It would make keys that some tiers cannot have.
    pub fn new(prefix: &str) -> Result<Self, PrefixError> {
        if prefix.is_empty() {
            return Ok(Self::default());
        }
        let parts = prefix.strip_suffix('/').unwrap_or(prefix);
        if parts.len() > 512 || !parts.split('/').all(is_part) {
            return Err(PrefixError(prefix.to_owned()));
        }
        Ok(Self { prefix: format!("{parts}/") })
    }

    /// What all keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The claim of a barcode.
    #[must_use]
    pub fn barcode(&self, barcode: &Barcode) -> String {
        format!("{}{barcode}", self.barcodes())
    }

    /// What the claims of all barcodes begin with.
    #[must_use]
    pub fn barcodes(&self) -> String {
        format!("{}v1/barcodes/", self.prefix)
    }

    /// The claim of a gateway.
    #[must_use]
    pub fn gateway(&self, gateway: GatewayId) -> String {
        format!("{}{gateway}/claim", self.gateways())
    }

    /// What the library states of a gateway begin with.
    #[must_use]
    pub fn library_states(&self, gateway: GatewayId) -> String {
        format!("{}{gateway}/state/", self.gateways())
    }

    /// The state of a gateway's library after a change.
    #[must_use]
    pub fn library_state(&self, gateway: GatewayId, change: u64) -> String {
        format!("{}{change:010}", self.library_states(gateway))
    }

    /// What everything of all gateways begins with.
    #[must_use]
    pub fn gateways(&self) -> String {
        format!("{}v1/gateways/", self.prefix)
    }

    /// An object of a probe.
    #[must_use]
    pub fn probe(&self, random: u64) -> String {
        format!("{}v1/probe/{random:016x}", self.prefix)
    }

    /// What everything of all tapes begins with.
    #[must_use]
    pub fn tapes(&self) -> String {
        format!("{}v1/tapes/", self.prefix)
    }

    /// What everything of a tape begins with.
    #[must_use]
    pub fn tape(&self, tape: &TapeName) -> String {
        format!("{}{}/{}/", self.tapes(), tape.barcode, tape.cartridge)
    }

    /// What the manifest of a tape begins with.
    #[must_use]
    pub fn manifest(&self, tape: &TapeName) -> String {
        format!("{}manifest/", self.tape(tape))
    }

    /// A delta of a manifest.
    #[must_use]
    pub fn delta(&self, tape: &TapeName, number: u64) -> String {
        format!("{}{number:010}", self.manifest(tape))
    }

    /// What the notes of where a manifest was cut off begin with.
    #[must_use]
    pub fn cuts(&self, tape: &TapeName) -> String {
        format!("{}cut/", self.tape(tape))
    }

    /// A note that a manifest was cut off before a delta.
    #[must_use]
    pub fn cut(&self, tape: &TapeName, number: u64) -> String {
        format!("{}{number:010}", self.cuts(tape))
    }

    /// What all segments of a tape begin with.
    #[must_use]
    pub fn segments(&self, tape: &TapeName) -> String {
        format!("{}segments/", self.tape(tape))
    }

    /// A segment.
    #[must_use]
    pub fn segment(&self, tape: &TapeName, segment: SegmentName) -> String {
        let SegmentName { sequence, epoch, random } = segment;
        format!("{}{sequence:09}-{epoch:016x}-{random:016x}", self.segments(tape))
    }

    /// What the wrapped keys of a tape begin with.
    #[must_use]
    pub fn wrapped_keys(&self, tape: &TapeName) -> String {
        format!("{}key/", self.tape(tape))
    }

    /// A wrapped key.
    #[must_use]
    pub fn wrapped_key(&self, tape: &TapeName, number: u32) -> String {
        format!("{}{number:06}", self.wrapped_keys(tape))
    }

    /// The tape that a key belongs to, and what follows of the key.
    #[must_use]
    pub fn parse_tape<'a>(&self, key: &'a str) -> Option<(TapeName, &'a str)> {
        let rest = key.strip_prefix(self.prefix.as_str())?.strip_prefix("v1/tapes/")?;
        let (barcode, rest) = rest.split_once('/')?;
        let (cartridge, rest) = rest.split_once('/')?;
        let tape = TapeName { barcode: Barcode::new(barcode).ok()?, cartridge: parse_identity(cartridge)? };
        Some((tape, rest))
    }

    /// The barcode that a key claims.
    #[must_use]
    pub fn parse_barcode(&self, key: &str) -> Option<Barcode> {
        Barcode::new(key.strip_prefix(self.barcodes().as_str())?).ok()
    }

    /// The gateway whose claim has this key.
    #[must_use]
    pub fn parse_gateway(&self, key: &str) -> Option<GatewayId> {
        let gateway = key.strip_prefix(self.gateways().as_str())?.strip_suffix("/claim")?;
        Some(GatewayId(parse_identity(gateway)?.0))
    }

    /// The change of a gateway's library whose state has this key.
    #[must_use]
    pub fn parse_library_state(&self, gateway: GatewayId, key: &str) -> Option<u64> {
        let change = key.strip_prefix(self.library_states(gateway).as_str())?.parse().ok()?;
        (self.library_state(gateway, change) == key).then_some(change)
    }

    /// The delta whose key this is.
    #[must_use]
    pub fn parse_delta(&self, key: &str) -> Option<(TapeName, u64)> {
        let (tape, rest) = self.parse_tape(key)?;
        let number = rest.strip_prefix("manifest/")?.parse().ok()?;
        (self.delta(&tape, number) == key).then_some((tape, number))
    }

    /// The segment whose key this is.
    #[must_use]
    pub fn parse_segment(&self, key: &str) -> Option<(TapeName, SegmentName)> {
        let (tape, rest) = self.parse_tape(key)?;
        let mut numbers = rest.strip_prefix("segments/")?.split('-');
        let sequence = numbers.next()?.parse().ok()?;
        let epoch = u64::from_str_radix(numbers.next()?, 16).ok()?;
        let random = u64::from_str_radix(numbers.next()?, 16).ok()?;
        let segment = SegmentName { sequence, epoch, random };
        (self.segment(&tape, segment) == key).then_some((tape, segment))
    }

    /// The wrapped key whose key this is.
    #[must_use]
    pub fn parse_wrapped_key(&self, key: &str) -> Option<(TapeName, u32)> {
        let (tape, rest) = self.parse_tape(key)?;
        let number = rest.strip_prefix("key/")?.parse().ok()?;
        (self.wrapped_key(&tape, number) == key).then_some((tape, number))
    }
}

/// A part of a key between two slashes, as every tier can have it. Names that begin with a dot are the tier's own.
pub(crate) fn is_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.$+".contains(c);
    !part.is_empty() && part.len() <= 255 && !part.starts_with('.') && part.chars().all(allowed)
}

fn parse_identity(text: &str) -> Option<CartridgeId> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let identity = CartridgeId(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes());
    (identity.to_string() == text).then_some(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape() -> TapeName {
        let cartridge = CartridgeId([0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        TapeName { barcode: Barcode::new("CAP-1$+.L8").unwrap(), cartridge }
    }

    #[test]
    fn keys_are_as_documented_and_come_back() {
        let names = Names::new("a/b").unwrap();
        let begin = "a/b/v1/tapes/CAP-1$+.L8/0f010203-0405-0607-0809-0a0b0c0d0eff/";
        let segment = SegmentName { sequence: 12, epoch: 0xab, random: u64::MAX };
        let key = names.segment(&tape(), segment);
        assert_eq!(key, format!("{begin}segments/000000012-00000000000000ab-ffffffffffffffff"));
        assert_eq!(names.parse_segment(&key), Some((tape(), segment)));
        let key = names.delta(&tape(), 64);
        assert_eq!(key, format!("{begin}manifest/0000000064"));
        assert_eq!(names.parse_delta(&key), Some((tape(), 64)));
        let key = names.wrapped_key(&tape(), 1);
        assert_eq!(key, format!("{begin}key/000001"));
        assert_eq!(names.parse_wrapped_key(&key), Some((tape(), 1)));
        let key = names.barcode(&tape().barcode);
        assert_eq!(key, "a/b/v1/barcodes/CAP-1$+.L8");
        assert_eq!(names.parse_barcode(&key), Some(tape().barcode));
        assert_eq!(names.probe(16), "a/b/v1/probe/0000000000000010");
        let id = GatewayId(tape().cartridge.0);
        let gateway = names.gateway(id);
        assert_eq!(gateway, "a/b/v1/gateways/0f010203-0405-0607-0809-0a0b0c0d0eff/claim");
        assert_eq!(names.parse_gateway(&gateway), Some(id));
        let state = names.library_state(id, 12);
        assert_eq!(state, "a/b/v1/gateways/0f010203-0405-0607-0809-0a0b0c0d0eff/state/0000000012");
        assert_eq!((names.parse_library_state(id, &state), names.parse_gateway(&state)), (Some(12), None));
        assert_eq!(names.parse_library_state(id, &state.replace("0000000012", "12")), None);
        for key in [key, gateway] {
            assert!(key.split('/').all(is_part), "{key}");
        }
    }

    #[test]
    fn foreign_keys_do_not_come_back() {
        let names = Names::default();
        let good = names.segment(&tape(), SegmentName { sequence: 1, epoch: 2, random: 3 });
        assert!(names.parse_segment(&good).is_some());
        for bad in
            [good.replace("000000001", "1"), good.replace("0f01", "0F01"), format!("{good}-"), format!("x{good}")]
        {
            assert_eq!(names.parse_segment(&bad), None, "{bad}");
        }
        assert_eq!(names.parse_delta(&good), None);
        assert_eq!(names.parse_delta(&names.delta(&tape(), 1).replace("0000000001", "+000000001")), None);
        assert_eq!(names.parse_barcode("v1/barcodes/a"), None);
    }

    #[test]
    fn prefixes_are_checked() {
        assert_eq!(Names::new("a/").unwrap().prefix(), "a/");
        assert_eq!(Names::new("").unwrap().prefix(), "");
        for bad in ["/", "/a", "a//b", "..", "a/.b", "a b", "ä"] {
            assert!(Names::new(bad).is_err(), "{bad}");
        }
    }
}
