//! The mover, as the configuration describes it: what it ships, where to, and who hears of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capstan_disk::RealDisk;
use capstan_library::{CartridgeOptions, EventKind, Events, Library};
use capstan_media::{ByteSize, GatewayId};
use capstan_mover::{
    AreaRules, CacheLimits, Listener, Mover, MoverError, MoverOptions, Notice, NoticeKind, Patience, ShippingRules,
    TierSetup, VersionRules,
};

use super::tiers;
use crate::config::{Areas, Config, free_space};
use crate::failure::Failure;

/// Smaller ones make many small objects.
const LEAST_SEGMENT: u64 = 8 << 20;

/// Both areas, as large as they are from this start on. Blocks on the disk.
pub(crate) fn areas(config: &Config) -> Areas {
    // Only a size that nobody gave depends on what is held: else a large area is not walked.
    let held = |size: Option<ByteSize>, path: PathBuf| if size.is_none() { bytes_under(&path) } else { 0 };
    let buffer = held(config.upload_buffer.size, config.buffer_path());
    config.areas(free_space, (buffer, held(config.cache.size, config.cache_path())))
}

/// How cartridges are cut into segments: a segment that is not on stable storage cannot be shipped, and while a drive
/// writes without filemarks some are not. They have an eighth of the upload buffer at most, as long as that is not less
/// than one of the smallest; a large buffer leaves all as it is.
pub(crate) fn segments(buffer: u64, keep_versions: bool) -> CartridgeOptions {
    let usual = CartridgeOptions::default();
    let segment_size = (buffer / 16).clamp(LEAST_SEGMENT, usual.segment_size);
    let unsynced = usize::try_from(buffer / 8 / segment_size).unwrap_or(usize::MAX);
    let versions = if keep_versions { usual.versions } else { 0 };
    CartridgeOptions { segment_size, unsynced_segments: unsynced.clamp(1, usual.unsynced_segments), versions, ..usual }
}

/// Starts the mover of a library.
///
/// # Errors
/// The tier cannot be used as it is configured, or is not the one that it was.
pub(crate) async fn start(config: &Config, areas: &Areas, library: &Library) -> Result<Mover, Failure> {
    let tier = config.tier();
    let state_dir = state_dir(config);
    let used = Mover::has_used(&state_dir, &tier.name, &RealDisk).map_err(|error| refused(&error))?;
    let opened = tiers::open(&tier, used, &areas.buffer.path).await?;
    let percent = |percent: u8| areas.cache.size / 100 * u64::from(percent);
    let events = library.events();
    let options = MoverOptions {
        store: library.store(),
        keeper: library.keeper(),
        setup: TierSetup {
            tier: opened.tier,
            names: opened.names,
            kind: opened.kind,
            place: opened.place,
            wrapping_key: opened.wrapping_key,
            key_file: tier.encrypt.as_ref().map(|encrypt| encrypt.file.clone()),
            found: opened.found,
            probe: Some(opened.probe),
            limits: opened.limits,
        },
        library: Some(library.images()),
        gateway: GatewayId(library.uuid()),
        gateway_name: config.gateway.name.clone(),
        state_dir,
        disk: Arc::new(RealDisk),
        buffer_size: areas.buffer.size,
        cache: CacheLimits {
            size: areas.cache.size,
            high_water: percent(config.cache.high_water),
            low_water: percent(config.cache.low_water),
            free_floor: config.cache.free_floor.0,
        },
        areas: AreaRules::default(),
        rules: ShippingRules {
            close_after: config.upload_buffer.max_unshipped_age / 2,
            zstd: opened.zstd,
            cartridge: segments(areas.buffer.size, config.library.keep_versions.is_some()),
            versions: VersionRules {
                keep: config.library.keep_versions.unwrap_or(VersionRules::default().keep),
                ..VersionRules::of_buffer(areas.buffer.size)
            },
            ..ShippingRules::default()
        },
        patience: Patience::default(),
        listener: Listener::new(move |notice| tell(&events, notice)),
    };
    let started = tokio::task::spawn_blocking(move || Mover::start(options)).await;
    started.map_err(|error| Failure::failed(error.to_string()))?.map_err(|error| refused(&error))
}

/// Where the mover remembers what tiers it has used.
fn state_dir(config: &Config) -> PathBuf {
    config.gateway.state_dir.join("tiers")
}

fn refused(error: &MoverError) -> Failure {
    Failure::failed("nothing can be shipped")
        .why(error.to_string())
        .next("correct what is said above, or [[tier]] in the configuration, and start again")
}

fn tell(events: &Events, notice: Notice) {
    let Notice { kind, barcode, text } = notice;
    events.report_tier(event_kind(kind), barcode.as_ref(), text);
}

fn event_kind(kind: NoticeKind) -> EventKind {
    match kind {
        NoticeKind::TierUnavailable => EventKind::TierUnavailable,
        NoticeKind::TierAvailable => EventKind::TierAvailable,
        NoticeKind::TierRefused => EventKind::TierRefused,
        NoticeKind::Fenced => EventKind::Fenced,
        NoticeKind::Forked => EventKind::Forked,
        NoticeKind::HandedOver => EventKind::HandedOver,
        NoticeKind::Adopted => EventKind::Adopted,
        NoticeKind::LibraryFenced => EventKind::LibraryFenced,
        NoticeKind::NotShipped => EventKind::NotShipped,
        NoticeKind::RecallFailed => EventKind::RecallFailed,
        NoticeKind::Recovered => EventKind::Recovered,
        NoticeKind::VersionForgotten => EventKind::VersionForgotten,
        NoticeKind::AreaFailed => EventKind::AreaFailed,
        NoticeKind::AreaDegraded => EventKind::AreaDegraded,
        NoticeKind::AreaRecovered => EventKind::AreaRecovered,
    }
}

/// Bytes in all files below a directory; what cannot be read counts nothing.
fn bytes_under(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_under(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_synchronised_is_a_small_part_of_the_upload_buffer() {
        let cut = |buffer: u64| {
            let options = segments(buffer << 20, true);
            (options.segment_size >> 20, options.unsynced_segments)
        };
        assert_eq!(cut(64), (8, 1));
        assert_eq!(cut(192), (12, 2));
        assert_eq!(cut(1024), (64, 2));
        assert_eq!(cut(4096), (64, 8));
        assert_eq!(segments(50 << 30, true), CartridgeOptions::default());
    }
}
