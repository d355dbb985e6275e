//! A bucket behind the S3 API: GET, HEAD and ListObjectsV2, and nothing that changes anything.

mod credentials;
mod http;
mod listing;
mod sign;
mod url;

use std::time::Duration;

use self::credentials::Settings;
use self::http::{Answer, Http};
use self::listing::Page;
use self::url::Place;
use super::{Listed, Source};
use crate::cli::Options;
use crate::error::Error;

/// Attempts of a request that a server answers with "later".
const ATTEMPTS: u32 = 6;
/// A page of a listing has a thousand keys of at most 1,024 bytes.
const PAGE: u64 = 8 << 20;

/// A prefix of a bucket.
pub(crate) struct Bucket {
    name: String,
    prefix: String,
    place: Place,
    http: Http,
}

impl Bucket {
    /// `location` is `BUCKET` or `BUCKET/PREFIX`.
    pub(crate) fn open(location: &str, options: &Options) -> Result<Self, Error> {
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        if bucket.is_empty() {
            return Err(Error::Usage("s3:// needs a bucket: s3://BUCKET[/PREFIX]".to_owned()));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let settings = Settings::find(options, &|name| std::env::var(name).ok())?;
        let place = Place::new(bucket, &settings.region, options.endpoint.as_deref())?;
        let http = Http::new(settings, place.is_encrypted())?;
        Ok(Self { name: format!("s3://{bucket}/{prefix}"), prefix, place, http })
    }

    /// Asks until there is an answer that is not "later".
    fn ask(&self, key: &str, ask: impl Fn() -> Result<Answer, String>) -> Result<Answer, Error> {
        let mut wait = Duration::from_millis(200);
        let mut why = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(wait);
                wait *= 2;
            }
            match ask() {
                Ok(answer) if answer.is_later() => why = answer.what(),
                Ok(answer) => return Ok(answer),
                Err(failure) => why = failure,
            }
        }
        Err(Error::Source { place: format!("{}{key}", self.name), why })
    }

    fn object(&self, key: &str) -> Result<(String, String), Error> {
        Ok(self.place.object(&format!("{}{key}", self.prefix)))
    }

    fn failure(&self, key: &str, answer: &Answer) -> Error {
        if answer.status == 404 && !answer.what().contains("NoSuchBucket") {
            return Error::NotFound { key: key.to_owned() };
        }
        Error::Source { place: format!("{}{key}", self.name), why: answer.what() }
    }

    /// All pages of a listing.
    fn pages(&self, prefix: &str, delimiter: &str, mut take: impl FnMut(Page)) -> Result<(), Error> {
        let mut token: Option<String> = None;
        loop {
            let wanted = format!("{}{prefix}", self.prefix);
            let mut query = vec![("list-type", "2"), ("prefix", wanted.as_str())];
            query.extend((!delimiter.is_empty()).then_some(("delimiter", delimiter)));
            query.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let (path, query) = self.place.bucket(&query);
            let answer = self.ask(prefix, || self.http.get(&self.place, &path, &query, None, PAGE))?;
            if answer.status != 200 {
                return Err(self.failure(prefix, &answer));
            }
            let page = Page::parse(&answer.body).ok_or_else(|| Error::Source {
                place: format!("{}{prefix}", self.name),
                why: "the listing is none".to_owned(),
            })?;
            let next = page.next.clone();
            take(page);
            if next.is_none() || next == token {
                return Ok(());
            }
            token = next;
        }
    }
}

impl Source for Bucket {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        self.pages(prefix, "", |page| {
            let own =
                |(key, length): (String, u64)| Some(Listed { key: key.strip_prefix(&self.prefix)?.to_owned(), length });
            // Consoles make folders by empty objects whose keys end with a slash.
            listed.extend(page.objects.into_iter().filter_map(own).filter(|object| !object.key.ends_with('/')));
        })?;
        listed.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(listed)
    }

    fn folders(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let whole = format!("{}{prefix}", self.prefix);
        let mut names = Vec::new();
        self.pages(prefix, "/", |page| {
            let name = |folder: String| Some(folder.strip_prefix(&whole)?.trim_end_matches('/').to_owned());
            names.extend(page.folders.into_iter().filter_map(name));
        })?;
        names.sort();
        Ok(names)
    }

    fn length(&self, key: &str) -> Result<u64, Error> {
        let (path, query) = self.object(key)?;
        let answer = self.ask(key, || self.http.head(&self.place, &path, &query))?;
        match (answer.status, answer.length) {
            (200, Some(length)) => Ok(length),
            _ => Err(self.failure(key, &answer)),
        }
    }

    fn range(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let (path, query) = self.object(key)?;
        let last = offset.saturating_add(length - 1);
        let (range, begins) = (format!("bytes={offset}-{last}"), format!("bytes {offset}-"));
        let answer = self.ask(key, || self.http.get(&self.place, &path, &query, Some(&range), length))?;
        match answer.status {
            206 if answer.content_range.as_ref().is_some_and(|range| range.starts_with(&begins)) => Ok(answer.body),
            206 => Err(Error::Source {
                place: format!("{}{key}", self.name),
                why: format!("the server was asked for {range} and sent another part"),
            }),
            // All of it, where a server takes a range that begins with the first byte for no range.
            200 if offset == 0 => Ok(answer.body),
            // Nothing is there: the object ends before, or is empty.
            416 => Ok(Vec::new()),
            _ => Err(self.failure(key, &answer)),
        }
    }
}
