//! What is told of a recovery.

use capstan_library::Remark;
use serde::Serialize;

/// Something that is not as it was, or needs a look.
#[derive(Serialize)]
pub(super) struct Told {
    kind: &'static str,
    barcode: Option<String>,
    id: Option<String>,
    location: Option<String>,
    what: String,
}

impl Told {
    pub(super) fn new(remark: &Remark) -> Self {
        Self {
            kind: remark.kind.name(),
            barcode: remark.barcode.clone(),
            id: remark.cartridge.map(|id| id.to_string()),
            location: remark.place.map(|place| place.to_string()),
            what: remark.what.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let who = self.barcode.as_deref().or(self.id.as_deref()).unwrap_or("library");
        let place = self.location.as_ref().map(|place| format!(" (in {place})")).unwrap_or_default();
        format!("  {:12} {who}{place}: {}\n", self.kind, self.what)
    }
}

/// A UUID as it is written.
pub(super) fn uuid(bytes: [u8; 16]) -> String {
    capstan_media::CartridgeId(bytes).to_string()
}
