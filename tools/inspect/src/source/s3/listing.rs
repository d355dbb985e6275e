//! The answer to ListObjectsV2, and errors: XML of which a few elements are wanted.

/// One page of a listing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Page {
    /// Keys and lengths.
    pub(super) objects: Vec<(String, u64)>,
    /// Prefixes up to the delimiter, which they end with.
    pub(super) folders: Vec<String>,
    /// Continues the listing.
    pub(super) next: Option<String>,
}

impl Page {
    pub(super) fn parse(xml: &[u8]) -> Option<Self> {
        let xml = std::str::from_utf8(xml).ok()?;
        if !xml.contains("<ListBucketResult") {
            return None;
        }
        let mut page = Self::default();
        for content in elements(xml, "Contents") {
            let length = elements(content, "Size").next()?.trim().parse().ok()?;
            page.objects.push((unescape(elements(content, "Key").next()?)?, length));
        }
        for common in elements(xml, "CommonPrefixes") {
            page.folders.push(unescape(elements(common, "Prefix").next()?)?);
        }
        if elements(xml, "IsTruncated").next().map(str::trim) == Some("true") {
            page.next = Some(unescape(elements(xml, "NextContinuationToken").next()?)?);
        }
        Some(page)
    }
}

/// Code and message of an error, if it is one.
pub(super) fn error(xml: &[u8]) -> Option<(String, String)> {
    let xml = std::str::from_utf8(xml).ok()?;
    let code = unescape(elements(xml, "Code").next()?)?;
    let message = elements(xml, "Message").next().and_then(unescape).unwrap_or_default();
    Some((code, message))
}

/// What is inside each element of a name, which has no attributes and does not nest.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (inside, behind) = after.split_once(&close)?;
        rest = behind;
        Some(inside)
    })
}

/// Text with its entities replaced.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, behind) = after.split_once(';')?;
        plain.push_str(before);
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = behind;
    }
    Some(plain + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_folders_and_what_follows() {
        let xml = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                   <Prefix>v1/</Prefix><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b=</NextContinuationToken>\
                   <Contents><Key>v1/a&#x2B;b</Key><Size>12</Size></Contents>\
                   <Contents><ETag>&quot;x&quot;</ETag><Size>0</Size><Key>v1/c</Key></Contents>\
                   <CommonPrefixes><Prefix>v1/d/</Prefix></CommonPrefixes></ListBucketResult>";
        let page = Page::parse(xml.as_bytes()).unwrap();
        assert_eq!(page.objects, [("v1/a+b".to_owned(), 12), ("v1/c".to_owned(), 0)]);
        assert_eq!((page.folders, page.next), (vec!["v1/d/".to_owned()], Some("a&b=".to_owned())));
        let last = Page::parse(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
        assert_eq!(last, Some(Page::default()));
    }

    #[test]
    fn what_is_no_listing_is_none() {
        for other in [
            &b""[..],
            b"<html>",
            b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            b"<ListBucketResult><Contents><Key>&no;</Key><Size>1</Size></Contents></ListBucketResult>",
        ] {
            assert_eq!(Page::parse(other), None, "{}", String::from_utf8_lossy(other));
        }
        let denied = b"<Error><Code>AccessDenied</Code><Message>No &lt;way&gt;</Message></Error>";
        assert_eq!(error(denied), Some(("AccessDenied".to_owned(), "No <way>".to_owned())));
    }
}
