//! `[upload_buffer]` and `[cache]`: where segments are before they are in a tier, and where afterwards.

use std::path::{Path, PathBuf};
use std::time::Duration;

use capstan_media::ByteSize;
use toml::de::DeValue;

use super::keys::{Key, quoted};
use super::values;
use super::{Config, Mistake};

/// What is not in a tier yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadBuffer {
    /// Its directory; `None` for `cartridges` in the state directory.
    pub(crate) path: Option<PathBuf>,
    /// Bytes that it may have; `None`: what [`Config::areas`] makes of the free space.
    pub(crate) size: Option<ByteSize>,
    /// How long a WRITE may wait for room.
    pub(crate) stall_limit: Duration,
    /// How old the oldest byte that is only here should become.
    pub(crate) max_unshipped_age: Duration,
}

/// What is in a tier, and here to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cache {
    /// Its directory; `None` for `cache` in the state directory.
    pub(crate) path: Option<PathBuf>,
    /// Bytes that it may have; `None`: what [`Config::areas`] makes of the free space.
    pub(crate) size: Option<ByteSize>,
    /// Percent of the size beyond which segments are evicted.
    pub(crate) high_water: u8,
    /// Percent of the size down to which they are.
    pub(crate) low_water: u8,
    /// Bytes that stay free on the file system.
    pub(crate) free_floor: ByteSize,
}

/// A directory and what may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    /// The directory.
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

/// Both areas, as they are from a start on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Areas {
    /// Of what is not in a tier yet.
    pub(crate) buffer: Area,
    /// Of what is in a tier, and here to be read.
    pub(crate) cache: Area,
}

/// What an area that has no size given gets at most.
const MOST_BUFFER: u64 = 50 << 30;
const MOST_CACHE: u64 = 100 << 30;

/// An area holds a segment at least.
const LEAST: u64 = 64 << 20;
const MOST: u64 = 1 << 60;

/// Hosts give a command up after 15 minutes.
const LONGEST_STALL: Duration = Duration::from_secs(840);

impl Default for UploadBuffer {
    fn default() -> Self {
        Self {
            path: None,
            size: None,
            stall_limit: Duration::from_secs(600),
            max_unshipped_age: Duration::from_secs(60),
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { path: None, size: None, high_water: 90, low_water: 80, free_floor: ByteSize(2 << 30) }
    }
}

impl Config {
    /// Directory of what is not in a tier yet.
    pub(crate) fn buffer_path(&self) -> PathBuf {
        self.upload_buffer.path.clone().unwrap_or_else(|| self.gateway.state_dir.join("cartridges"))
    }

    /// Directory of what is in a tier, and here to be read.
    pub(crate) fn cache_path(&self) -> PathBuf {
        self.cache.path.clone().unwrap_or_else(|| self.gateway.state_dir.join("cache"))
    }

    /// Both areas. Where no size is given it is a quarter of the room there is for the area, up to a bound. `free` says
    /// how many bytes are free around a directory, which need not be there yet; `held` how many bytes the buffer and the
    /// cache have, so that an area does not shrink at a start because it is in use.
    pub(crate) fn areas(&self, free: impl Fn(&Path) -> u64, held: (u64, u64)) -> Areas {
        let area = |path: PathBuf, size: Option<ByteSize>, most: u64, held: u64| {
            let quarter = || (free(&path).saturating_add(held) / 4).clamp(LEAST, most);
            Area { size: size.map_or_else(quarter, |size| size.0), path }
        };
        Areas {
            buffer: area(self.buffer_path(), self.upload_buffer.size, MOST_BUFFER, held.0),
            cache: area(self.cache_path(), self.cache.size, MOST_CACHE, held.1),
        }
    }

    /// What of this only shows when all is known: a mistake each, with the key that it is about.
    pub(super) fn area_mistakes(&self) -> Vec<(&'static str, Mistake)> {
        let mut mistakes = Vec::new();
        let Cache { high_water, low_water, .. } = self.cache;
        if low_water >= high_water {
            let what = format!("cache.low_water is {low_water}%, and cache.high_water {high_water}%");
            mistakes.push(("cache.low_water", Mistake::new(what, "a low_water below high_water")));
        }
        let [buffer, cache] = [self.buffer_path(), self.cache_path()];
        let mut places = vec![("upload_buffer.path", buffer), ("cache.path", cache)];
        places.extend(self.tier().directory().map(|path| ("tier.path", path.to_owned())));
        for (index, (key, path)) in places.iter().enumerate() {
            for (other, taken) in places.iter().take(index).filter(|(_, taken)| overlap(path, taken)) {
                let what = format!("{key} is {}, and {other} {}", path.display(), taken.display());
                let allowed = "directories of their own for upload_buffer, cache and tier, none inside another";
                mistakes.push((*key, Mistake::new(what, allowed)));
            }
        }
        mistakes
    }
}

/// Bytes that are free around a directory; those above it are asked where it is not there yet.
pub(crate) fn free_space(path: &Path) -> u64 {
    let there = path.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let system = there.map(rustix::fs::statvfs).find_map(Result::ok);
    system.map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize))
}

/// One is the other, or inside it, as far as the texts say so.
fn overlap(a: &Path, b: &Path) -> bool {
    let plain = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (a, b) = (plain(a), plain(b));
    a.starts_with(&b) || b.starts_with(&a)
}

const PATH_ALLOWED: &str = "the path of a directory, which is made where it does not exist, or \"\" for the default";
const SIZE_ALLOWED: &str = "\"auto\", or a size from 64MiB, as \"100GiB\"";

pub(super) const KEYS: &[Key] = &[
    Key {
        section: "upload_buffer",
        name: "path",
        allowed: PATH_ALLOWED,
        doc: "Directory of the upload buffer; `cartridges` in the state directory by default. A relative path starts at \
              the directory that the daemon was started in.",
        show: |config| path_text(config.upload_buffer.path.as_deref()),
        apply: |config, value| {
            config.upload_buffer.path = values::text(value)?.map(PathBuf::from);
            Some(())
        },
    },
    Key {
        section: "upload_buffer",
        name: "size",
        allowed: SIZE_ALLOWED,
        doc: "Bytes that may be only here. From 80 % on hosts are slowed down; when it is full, WRITE waits. `auto`: a \
              quarter of the space that is free at the start, at most 50 GiB.",
        show: |config| size_text(config.upload_buffer.size),
        apply: |config, value| {
            config.upload_buffer.size = size_or_auto(value)?;
            Some(())
        },
    },
    Key {
        section: "upload_buffer",
        name: "stall_limit",
        allowed: "a time from 1s to 840s, as \"600s\" or \"10m\"",
        doc: "How long a WRITE waits while the buffer is full. Then it fails with NOT READY, with nothing written. Hosts \
              give a command up by themselves after 15 minutes.",
        show: |config| values::duration_text(config.upload_buffer.stall_limit),
        apply: |config, value| {
            let limit = values::duration(value, Duration::from_secs(1), LONGEST_STALL)?;
            config.upload_buffer.stall_limit = limit;
            Some(())
        },
    },
    Key {
        section: "upload_buffer",
        name: "max_unshipped_age",
        allowed: "a time from 2s to 24h, as \"60s\" or \"5m\"",
        doc: "How old the oldest byte that is only here becomes at most, while the tier answers and takes it as fast as \
              hosts write. A segment that is not full is closed and shipped after half of it.",
        show: |config| values::duration_text(config.upload_buffer.max_unshipped_age),
        apply: |config, value| {
            let age = values::duration(value, Duration::from_secs(2), Duration::from_secs(24 * 3600))?;
            config.upload_buffer.max_unshipped_age = age;
            Some(())
        },
    },
    Key {
        section: "cache",
        name: "path",
        allowed: PATH_ALLOWED,
        doc: "Directory of the cache; `cache` in the state directory by default. A relative path starts at the directory \
              that the daemon was started in.",
        show: |config| path_text(config.cache.path.as_deref()),
        apply: |config, value| {
            config.cache.path = values::text(value)?.map(PathBuf::from);
            Some(())
        },
    },
    Key {
        section: "cache",
        name: "size",
        allowed: SIZE_ALLOWED,
        doc: "Bytes that may be here of what the tier has too. `auto`: a quarter of the space that is free at the start, \
              at most 100 GiB.",
        show: |config| size_text(config.cache.size),
        apply: |config, value| {
            config.cache.size = size_or_auto(value)?;
            Some(())
        },
    },
    Key {
        section: "cache",
        name: "high_water",
        allowed: "whole percents from 2% to 100%, above low_water",
        doc: "How full the cache becomes before what was not used for longest is evicted.",
        show: |config| percent_text(config.cache.high_water),
        apply: |config, value| {
            config.cache.high_water = percent(value, 2)?;
            Some(())
        },
    },
    Key {
        section: "cache",
        name: "low_water",
        allowed: "whole percents from 1% to 99%, below high_water",
        doc: "How full it is when that ends.",
        show: |config| percent_text(config.cache.low_water),
        apply: |config, value| {
            config.cache.low_water = percent(value, 1).filter(|percent| *percent < 100)?;
            Some(())
        },
    },
    Key {
        section: "cache",
        name: "free_floor",
        allowed: "a size, as \"2GiB\"",
        doc: "Bytes that stay free on the cache's file system: below that segments are evicted however small the cache \
              is.",
        show: |config| quoted(&values::exact(config.cache.free_floor)),
        apply: |config, value| {
            config.cache.free_floor = values::size(value, 0, MOST)?;
            Some(())
        },
    },
];

fn path_text(path: Option<&Path>) -> String {
    quoted(&path.map(Path::to_string_lossy).unwrap_or_default())
}

fn size_text(size: Option<ByteSize>) -> String {
    quoted(&size.map_or_else(|| "auto".to_owned(), values::exact))
}

fn size_or_auto(value: &DeValue<'_>) -> Option<Option<ByteSize>> {
    if value.as_str()? == "auto" { Some(None) } else { values::size(value, LEAST, MOST).map(Some) }
}

fn percent_text(percent: u8) -> String {
    quoted(&format!("{percent}%"))
}

fn percent(value: &DeValue<'_>, least: u8) -> Option<u8> {
    let digits = value.as_str()?.strip_suffix('%')?.trim_end();
    digits.parse().ok().filter(|percent| (least..=100).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_are_not_given_are_a_quarter_of_the_room_within_bounds() {
        let config = Config::default();
        let sizes = |free: u64, held| {
            let areas = config.areas(|_| free, held);
            (areas.buffer.size, areas.cache.size)
        };
        assert_eq!(sizes(40 << 30, (0, 0)), (10 << 30, 10 << 30));
        assert_eq!(sizes(30 << 30, (2 << 30, 10 << 30)), (8 << 30, 10 << 30), "what is in use is not lost");
        assert_eq!(sizes(1 << 50, (0, 0)), (50 << 30, 100 << 30));
        assert_eq!(sizes(0, (0, 0)), (64 << 20, 64 << 20));
        let mut given = config.clone();
        given.upload_buffer.size = Some(ByteSize(7 << 30));
        given.cache.path = Some("/srv/cache".into());
        let areas = given.areas(|path| if path == Path::new("/srv/cache") { 8 << 30 } else { 0 }, (0, 0));
        assert_eq!(areas.buffer, Area { path: "./capstan-data/cartridges".into(), size: 7 << 30 });
        assert_eq!(areas.cache, Area { path: "/srv/cache".into(), size: 2 << 30 });
    }

    #[test]
    fn free_space_is_that_of_what_is_there() {
        let directory = tempfile::tempdir().unwrap();
        assert!(free_space(directory.path()) > 0);
        assert!(free_space(&directory.path().join("not/made/yet")) > 0);
        assert!(free_space(Path::new("not-made-yet")) > 0);
    }

    #[test]
    fn directories_overlap_where_one_is_in_the_other() {
        for (a, b) in [("a", "a"), ("a", "./a/b"), ("/x/y/z", "/x/y"), ("/x/", "/x")] {
            assert!(overlap(Path::new(a), Path::new(b)) && overlap(Path::new(b), Path::new(a)), "{a} {b}");
        }
        for (a, b) in [("a", "b"), ("/x/y", "/x/yz"), ("a", "/a")] {
            assert!(!overlap(Path::new(a), Path::new(b)), "{a} {b}");
        }
    }
}
