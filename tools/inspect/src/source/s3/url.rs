//! Addresses of buckets and objects.

use crate::error::Error;

/// Where a bucket is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    scheme: &'static str,
    /// Host, and port if it is not the usual one: what the Host header says.
    pub(super) authority: String,
    /// What precedes every key: `/`, or `/BUCKET/` in path style.
    base: String,
}

impl Place {
    /// In path style where there is an endpoint, or where a dot in the bucket's name would not fit a certificate.
    pub(super) fn new(bucket: &str, region: &str, endpoint: Option<&str>) -> Result<Self, Error> {
        let path_style = format!("/{}/", encode(bucket, false));
        let Some(endpoint) = endpoint else {
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            let service = format!("s3.{region}.{domain}");
            return Ok(if bucket.contains('.') {
                Self { scheme: "https", authority: service, base: path_style }
            } else {
                Self { scheme: "https", authority: format!("{bucket}.{service}"), base: "/".to_owned() }
            });
        };
        let wrong =
            || Error::Usage(format!("the endpoint {endpoint} is not https://HOST[:PORT] or http://HOST[:PORT]"));
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(wrong)?;
        let (scheme, usual) = match scheme {
            "https" => ("https", ":443"),
            "http" => ("http", ":80"),
            _ => return Err(wrong()),
        };
        let rest = rest.trim_end_matches('/');
        let authority = rest.strip_suffix(usual).unwrap_or(rest).to_ascii_lowercase();
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return Err(wrong());
        }
        Ok(Self { scheme, authority, base: path_style })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// Path and query of an object.
    pub(super) fn object(&self, key: &str) -> (String, String) {
        (format!("{}{}", self.base, encode(key, true)), String::new())
    }

    /// Path and query of the bucket, the query in the order that is signed.
    pub(super) fn bucket(&self, query: &[(&str, &str)]) -> (String, String) {
        let mut pairs: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encode(value, false))).collect();
        pairs.sort();
        (self.base.clone(), pairs.join("&"))
    }

    pub(super) fn url(&self, path: &str, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}://{}{path}{mark}{query}", self.scheme, self.authority)
    }
}

/// Everything but letters, digits and `-._~` as `%XX` [RFC 3986 2.3].
fn encode(text: &str, keep_slash: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            b'/' if keep_slash => encoded.push('/'),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(bucket: &str, region: &str, endpoint: Option<&str>) -> String {
        let place = Place::new(bucket, region, endpoint).unwrap();
        let (path, query) = place.object("v1/a+b$/c");
        place.url(&path, &query)
    }

    #[test]
    fn styles_of_addresses() {
        assert_eq!(url("tapes", "eu-west-1", None), "https://tapes.s3.eu-west-1.amazonaws.com/v1/a%2Bb%24/c");
        assert_eq!(url("a.b", "eu-west-1", None), "https://s3.eu-west-1.amazonaws.com/a.b/v1/a%2Bb%24/c");
        assert_eq!(url("tapes", "cn-north-1", None), "https://tapes.s3.cn-north-1.amazonaws.com.cn/v1/a%2Bb%24/c");
        let minio = Some("http://127.0.0.1:9000/");
        assert_eq!(url("tapes", "us-east-1", minio), "http://127.0.0.1:9000/tapes/v1/a%2Bb%24/c");
        assert_eq!(url("t", "x", Some("https://S3.Example.org:443")), "https://s3.example.org/t/v1/a%2Bb%24/c");
        for wrong in ["s3.example.org", "ftp://a", "https://", "https://a/b", "https://u@h"] {
            assert!(Place::new("t", "x", Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_is_sorted_and_encoded() {
        let place = Place::new("t", "x", Some("http://h")).unwrap();
        let (path, query) = place.bucket(&[("prefix", "a/b c"), ("list-type", "2"), ("continuation-token", "x=+/")]);
        assert_eq!(
            (path.as_str(), query.as_str()),
            ("/t/", "continuation-token=x%3D%2B%2F&list-type=2&prefix=a%2Fb%20c")
        );
    }
}
