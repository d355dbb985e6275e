//! Signed requests, one after the other over connections that are kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::credentials::Settings;
use super::listing;
use super::sign::{NO_BODY, Request, authorization, stamp};
use super::url::Place;
use crate::error::Error;

/// What a server answers, whatever it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Of the object.
    pub(super) length: Option<u64>,
    pub(super) body: Vec<u8>,
    /// What part of the object it is.
    pub(super) content_range: Option<String>,
    /// The region of a bucket that is asked for in another.
    region: Option<String>,
}

impl Answer {
    /// Whether to ask again.
    pub(super) fn is_later(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    /// What went wrong, for people.
    pub(super) fn what(&self) -> String {
        let error = listing::error(&self.body);
        let code = error.as_ref().map(|(code, _)| code.as_str()).unwrap_or_default();
        let what = match (self.status, code) {
            (301 | 307 | 308 | 400, _) if self.region.is_some() => {
                format!("the bucket is in region {}: give it by --region", self.region.as_deref().unwrap_or_default())
            }
            (_, "InvalidObjectState") => "it is archived: it has to be restored in the bucket first".to_owned(),
            _ => match error {
                Some((code, message)) => format!("{code}: {message}"),
                None => "the server says no more".to_owned(),
            },
        };
        format!("{what} (status {})", self.status)
    }
}

/// A client.
pub(super) struct Http {
    agent: Agent,
    settings: Settings,
}

impl Http {
    pub(super) fn new(settings: Settings, is_encrypted: bool) -> Result<Self, Error> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirection would need another signature.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .user_agent("capstan-inspect");
        if is_encrypted {
            config = config.tls_config(tls()?);
        }
        Ok(Self { agent: config.build().into(), settings })
    }

    /// At most `limit` bytes of a body; errors are read up to a limit of their own.
    pub(super) fn get(
        &self,
        place: &Place,
        path: &str,
        query: &str,
        range: Option<&str>,
        limit: u64,
    ) -> Result<Answer, String> {
        let mut request = self.agent.get(place.url(path, query));
        for (name, value) in self.headers("GET", place, path, query, range) {
            request = request.header(name, value);
        }
        let mut response = request.call().map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let limit = if matches!(status, 200 | 206) { limit } else { 64 << 10 };
        let mut body = Vec::new();
        let reader = response.body_mut().as_reader();
        // A server that ignores the range sends more than is wanted.
        std::io::Read::read_to_end(&mut std::io::Read::take(reader, limit), &mut body)
            .map_err(|error| error.to_string())?;
        Ok(answer(&response, body))
    }

    pub(super) fn head(&self, place: &Place, path: &str, query: &str) -> Result<Answer, String> {
        let mut request = self.agent.head(place.url(path, query));
        for (name, value) in self.headers("HEAD", place, path, query, None) {
            request = request.header(name, value);
        }
        let response = request.call().map_err(|error| error.to_string())?;
        Ok(answer(&response, Vec::new()))
    }

    /// The headers of a request, signed if we are somebody.
    fn headers(
        &self,
        method: &str,
        place: &Place,
        path: &str,
        query: &str,
        range: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let stamp = stamp(seconds);
        let mut headers: Vec<(&'static str, String)> = vec![("host", place.authority.clone())];
        headers.extend(range.map(|range| ("range", range.to_owned())));
        if let Some(credentials) = &self.settings.credentials {
            headers.push(("x-amz-content-sha256", NO_BODY.to_owned()));
            headers.push(("x-amz-date", stamp.clone()));
            headers.extend(credentials.session_token.clone().map(|token| ("x-amz-security-token", token)));
            let borrowed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let request = Request { method, path, query, headers: &borrowed };
            let authorization = authorization(&request, credentials, &self.settings.region, &stamp);
            headers.push(("authorization", authorization));
        }
        headers
    }
}

fn answer(response: &ureq::http::Response<Body>, body: Vec<u8>) -> Answer {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    Answer {
        status: response.status().as_u16(),
        length: header("content-length").and_then(|length| length.parse().ok()),
        content_range: header("content-range").map(str::to_owned),
        region: header("x-amz-bucket-region").map(str::to_owned),
        body,
    }
}

/// Who the system trusts; `SSL_CERT_FILE` names others.
fn tls() -> Result<TlsConfig, Error> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(Error::Source {
            place: "the certificates of the system".to_owned(),
            why: format!("{why} (SSL_CERT_FILE may name a file of them)"),
        });
    }
    let certificates: Vec<Certificate<'static>> =
        found.certs.iter().map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}
