//! List and delete.

use aws_sdk_s3::types::Object;

use capstan_tier::{Listed, Listing, TierError, TierErrorKind};

use crate::tier::S3Tier;

/// The most that S3 gives at a time, and [`capstan_tier::PAGE`].
const MOST: i32 = 1000;

impl S3Tier {
    pub(crate) async fn page(&self, prefix: &str, after: Option<&str>) -> Result<Listing, TierError> {
        if self.lists_by_directories() {
            return self.walk(prefix, after).await;
        }
        let request = self
            .client()
            .list_objects_v2()
            .bucket(self.bucket())
            .prefix(prefix)
            .max_keys(MOST)
            .set_start_after(after.map(str::to_owned))
            .send();
        let answer = self.limits().answered(request).await.map_err(|failure| self.error(failure, "list", prefix))?;
        let wrong = |message: String| TierError::new(TierErrorKind::Corrupt, "list", prefix, message);
        let mut entries: Vec<Listed> = Vec::with_capacity(answer.contents().len());
        let mut next = None;
        for object in answer.contents() {
            let entry = entry(object, prefix).map_err(wrong)?;
            next = Some(entry.key.clone());
            if is_placeholder(&entry) {
                continue;
            }
            let previous = entries.last().map(|entry| entry.key.as_str()).or(after);
            if previous.is_some_and(|previous| previous >= entry.key.as_str()) {
                return Err(wrong(format!(
                    "{} came after {}: the server does not list in the order of the keys, or ignores start-after",
                    entry.key,
                    previous.unwrap_or_default()
                )));
            }
            entries.push(entry);
        }
        let more = answer.is_truncated().unwrap_or(false);
        if more && (next.is_none() || next.as_deref() <= after) {
            return Err(wrong("the server says that there is more, and lists nothing".to_owned()));
        }
        Ok(Listing { objects: entries, next: next.filter(|_| more) })
    }

    pub(crate) async fn remove(&self, key: &str) -> Result<(), TierError> {
        let request = self.client().delete_object().bucket(self.bucket()).key(key).send();
        match self.limits().answered(request).await {
            Ok(_) => Ok(()),
            // Some servers say so; S3 itself does not.
            Err(failure) if failure.status == 404 && failure.code != "NoSuchBucket" => Ok(()),
            Err(failure) => Err(self.error(failure, "delete", key)),
        }
    }
}

/// An object of a listing, if it is one that was asked for.
pub(crate) fn entry(object: &Object, prefix: &str) -> Result<Listed, String> {
    let key = object.key().unwrap_or_default();
    if !key.starts_with(prefix) {
        return Err(format!("the server lists {key}, which is not below {prefix}"));
    }
    let Some(length) = object.size().and_then(|size| u64::try_from(size).ok()) else {
        return Err(format!("the server lists {key} without its length"));
    };
    Ok(Listed { key: key.to_owned(), length })
}

/// Servers with directories list empty ones as objects, and so do browsers that make them; no key of a tier is such.
pub(crate) fn is_placeholder(entry: &Listed) -> bool {
    entry.key.is_empty() || entry.key.ends_with('/')
}
