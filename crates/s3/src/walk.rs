//! Listings in the order of bytes from a server that keeps objects in directories.
//!
//! Such a server lists all of `A/` before `A-1/`, though `-` comes before `/`: in one run of pages nothing can be put
//! into order without reading to the end. But one directory at a time can, for all that is in `A/` is together in both
//! orders.

use capstan_tier::{Listed, Listing, PAGE, TierError, TierErrorKind};

use crate::list::{entry, is_placeholder};
use crate::tier::S3Tier;

/// What is in a directory: an object with its length, or a directory, whose key ends with a slash.
struct Item {
    key: String,
    length: Option<u64>,
}

impl S3Tier {
    /// A page, read directory by directory.
    pub(crate) async fn walk(&self, prefix: &str, after: Option<&str>) -> Result<Listing, TierError> {
        let mut objects: Vec<Listed> = Vec::new();
        // What is still to come, the next one last.
        let mut pending = self.level(prefix, after).await?;
        while let Some(Item { key, length }) = pending.pop() {
            let Some(length) = length else {
                if !is_past(&key, after) {
                    pending.append(&mut self.level(&key, after).await?);
                }
                continue;
            };
            if after.is_some_and(|after| key.as_str() <= after) {
                continue;
            }
            if objects.len() == PAGE {
                let next = objects.last().map(|object| object.key.clone());
                return Ok(Listing { objects, next });
            }
            objects.push(Listed { key, length });
        }
        Ok(Listing { objects, next: None })
    }

    /// What begins with `prefix` up to the next slash, greatest first. Of what is not greater than `after` some may be
    /// missing.
    async fn level(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Item>, TierError> {
        let wrong = |message: String| TierError::new(TierErrorKind::Corrupt, "list", prefix, message);
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let begin = if token.is_none() { after.and_then(|after| begin(prefix, after)) } else { None };
            let request = self
                .client()
                .list_objects_v2()
                .bucket(self.bucket())
                .prefix(prefix)
                .delimiter("/")
                .set_start_after(begin.map(str::to_owned))
                .set_continuation_token(token.clone())
                .send();
            let page = self.limits().answered(request).await.map_err(|failure| self.error(failure, "list", prefix))?;
            for object in page.contents() {
                let entry = entry(object, prefix).map_err(wrong)?;
                if !is_placeholder(&entry) {
                    items.push(Item { key: entry.key, length: Some(entry.length) });
                }
            }
            for folder in page.common_prefixes() {
                let key = folder.prefix().unwrap_or_default();
                if key.len() <= prefix.len() || !key.starts_with(prefix) {
                    return Err(wrong(format!("the server lists the directory {key}, which is not below {prefix}")));
                }
                items.push(Item { key: key.to_owned(), length: None });
            }
            if !page.is_truncated().unwrap_or(false) {
                break;
            }
            let next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() || next == token {
                return Err(wrong("the server says that there is more, and not how to get it".to_owned()));
            }
            token = next;
        }
        items.sort_by(|a, b| b.key.cmp(&a.key));
        items.dedup_by(|a, b| a.key == b.key);
        Ok(items)
    }
}

/// All keys in the directory are less than `after`.
fn is_past(folder: &str, after: Option<&str>) -> bool {
    after.is_some_and(|after| after > folder && !after.starts_with(folder))
}

/// A place in the directory before which neither order has anything greater than `after`: the orders differ only where
/// a character that is less than a slash comes in.
fn begin<'a>(prefix: &str, after: &'a str) -> Option<&'a str> {
    let name = after.strip_prefix(prefix)?;
    let plain = name.find(|c: char| c <= '/').unwrap_or(name.len());
    let (last, _) = name.get(..plain)?.char_indices().next_back()?;
    if last == 0 { None } else { after.get(..prefix.len() + last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past() {
        assert!(is_past("v1/A/", Some("v1/B")));
        assert!(is_past("v1/A-1/", Some("v1/A/x")), "the hyphen comes before the slash");
        assert!(!is_past("v1/A/", Some("v1/A-1/x")));
        assert!(!is_past("v1/A/", Some("v1/A/x")));
        assert!(!is_past("v1/A/", Some("v1/A")));
        assert!(!is_past("v1/A/", None));
    }

    #[test]
    fn where_a_level_can_begin() {
        assert_eq!(begin("v1/", "v1/ABC-9/x"), Some("v1/AB"));
        assert_eq!(begin("v1/", "v1/ABC"), Some("v1/AB"));
        assert_eq!(begin("v1/", "v1/A-1"), None);
        assert_eq!(begin("v1/", "v1/-1"), None);
        assert_eq!(begin("v1/", "v1/"), None);
        assert_eq!(begin("v1/b/", "v1/a/x"), None);
    }

    /// Whatever is skipped in the order of directories is not greater in the order of bytes.
    #[test]
    fn nothing_greater_is_skipped() {
        let letters = ["", "$", "+", "-", ".", "0", "A", "B", "a"];
        let mut names: Vec<String> = Vec::new();
        for a in letters {
            for b in letters {
                for c in letters {
                    names.push(format!("{a}{b}{c}"));
                }
            }
        }
        names.retain(|name| !name.is_empty());
        for after in &names {
            let Some(begin) = begin("", after) else { continue };
            for name in names.iter().filter(|name| name.as_str() <= begin) {
                assert!(name <= after && format!("{name}/zzz") <= *after, "{name} {begin} {after}");
            }
        }
    }
}
