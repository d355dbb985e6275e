//! The resources of the API.
//!
//! Barcodes need no percent-encoding: their alphabet is allowed in a path segment. Names of tiers are encoded, since any
//! text may be asked for. [RFC 3986 3.3]

use capstan_media::Barcode;

/// `GET`: [`crate::Status`].
pub const STATUS: &str = "/v1/status";
/// `GET`: [`crate::LibraryState`].
pub const STATE: &str = "/v1/state";
/// `GET`: a list of [`crate::Tape`]; `POST` [`crate::CreateTapes`]: the list of those that were made.
pub const TAPES: &str = "/v1/tapes";
/// `GET`: a list of [`crate::Element`].
pub const ELEMENTS: &str = "/v1/library/elements";
/// `POST` [`crate::Move`]: [`crate::Moved`].
pub const MOVE: &str = "/v1/library/move";
/// `POST` [`crate::Load`]: [`crate::Moved`].
pub const LOAD: &str = "/v1/library/load";
/// `POST` [`crate::Unload`]: [`crate::Moved`].
pub const UNLOAD: &str = "/v1/library/unload";
/// `POST` [`crate::Import`]: a list of [`crate::Moved`].
pub const IMPORT: &str = "/v1/library/import";
/// `GET`: a list of [`crate::Drive`].
pub const DRIVES: &str = "/v1/drives";
/// `GET`: [`crate::Events`].
pub const EVENTS: &str = "/v1/events";
/// `GET`: a list of [`crate::Session`].
pub const SESSIONS: &str = "/v1/sessions";

/// `GET`: a list of [`crate::Tier`].
pub const TIERS: &str = "/v1/tiers";

/// `GET`: [`crate::Keys`].
pub const KEYS: &str = "/v1/keys";
/// `POST` [`crate::ConfirmBackup`]: [`crate::Keys`].
pub const KEY_BACKUP: &str = "/v1/keys/backup";
/// `POST` [`crate::VerifyKeys`]: [`crate::KeyReport`].
pub const KEY_VERIFY: &str = "/v1/keys/verify";
/// `POST` [`crate::RotateKeys`]: [`crate::KeyReport`].
pub const KEY_ROTATE: &str = "/v1/keys/rotate";
/// `POST` [`crate::RemoveOldKeys`]: [`crate::KeyReport`].
pub const KEY_REMOVE_OLD: &str = "/v1/keys/remove-old";

/// `GET`: a list of [`crate::Job`].
pub const JOBS: &str = "/v1/jobs";

/// `GET`, and `DELETE` to cancel it: [`crate::Job`].
#[must_use]
pub fn job(id: u64) -> String {
    format!("{JOBS}/{id}")
}

/// `POST` [`crate::VerifyTape`]: [`crate::Job`].
#[must_use]
pub fn verify(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/verify")
}

/// `GET`: every [`crate::ForeignTape`].
pub const FOREIGN: &str = "/v1/foreign";

/// `POST` [`crate::HandOverTape`]: [`crate::Done`].
#[must_use]
pub fn handover(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/handover")
}

/// `POST` [`crate::AdoptTape`]: [`crate::Tape`].
#[must_use]
pub fn adopt(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/adopt")
}

/// `POST` [`crate::StageTape`]: [`crate::Staged`].
#[must_use]
pub fn stage(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/stage")
}

/// `POST` [`crate::ExportTape`]: [`crate::Job`].
#[must_use]
pub fn export(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/export")
}

/// `POST` [`crate::ImportTape`]: [`crate::Job`]. The barcode is that of the new cartridge.
#[must_use]
pub fn import(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/import")
}

/// `GET`: [`crate::Tape`]; `DELETE`: [`crate::Done`].
#[must_use]
pub fn tape(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}")
}

/// `POST` [`crate::EraseTape`]: [`crate::Tape`].
#[must_use]
pub fn erase(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/erase")
}

/// `POST` [`crate::ProtectTape`]: [`crate::Tape`].
#[must_use]
pub fn protection(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/protection")
}

/// `GET`: [`crate::TapeVersions`]; `POST` [`crate::ChangeVersion`]: the same.
#[must_use]
pub fn versions(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/versions")
}

/// `POST` [`crate::CloneTape`]: the [`crate::Tape`] that is new.
#[must_use]
pub fn clone(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/clone")
}

/// `POST` [`crate::RollBack`]: [`crate::TapeVersions`].
#[must_use]
pub fn roll_back(barcode: &Barcode) -> String {
    format!("{TAPES}/{barcode}/rollback")
}

/// `GET`: [`crate::Drive`].
#[must_use]
pub fn drive(index: u16) -> String {
    format!("{DRIVES}/{index}")
}

/// `GET`: [`crate::Events`] after number `since`, waiting up to `wait` seconds for one.
#[must_use]
pub fn events(since: u64, wait: u64) -> String {
    format!("{EVENTS}?since={since}&wait={wait}")
}

/// `DELETE`: [`crate::Done`].
#[must_use]
pub fn session(id: u64) -> String {
    format!("{SESSIONS}/{id}")
}

/// `POST`: [`crate::TierTest`].
#[must_use]
pub fn tier_test(name: &str) -> String {
    format!("{TIERS}/{}/test", segment(name))
}

/// `POST`: [`crate::Tier`].
#[must_use]
pub fn tier_pause(name: &str) -> String {
    format!("{TIERS}/{}/pause", segment(name))
}

/// `POST`: [`crate::Tier`].
#[must_use]
pub fn tier_resume(name: &str) -> String {
    format!("{TIERS}/{}/resume", segment(name))
}

/// `POST` [`crate::SetLimits`]: [`crate::Tier`].
#[must_use]
pub fn tier_limit(name: &str) -> String {
    format!("{TIERS}/{}/limit", segment(name))
}

/// `POST` [`crate::ScrubTier`]: [`crate::Scrubbed`].
#[must_use]
pub fn tier_scrub(name: &str) -> String {
    format!("{TIERS}/{}/scrub", segment(name))
}

/// Any text as one segment of a path.
fn segment(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_one_segment() {
        assert_eq!(tier_test("cloud-1"), "/v1/tiers/cloud-1/test");
        assert_eq!(tier_limit("../a b?ü"), "/v1/tiers/%2E%2E%2Fa%20b%3F%C3%BC/limit");
    }
}
