//! The SDK's client, with everything off that would act behind our back: it does not retry, adds no checksums of its
//! own choosing, and reads no region or endpoint from the environment.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::options::{AccessKey, CredentialSource, OptionError, S3Options};

/// Idle connections that are kept: as many as the mover has requests under way.
const IDLE_CONNECTIONS: usize = 32;
/// Servers and load balancers close idle connections after a minute or so; ours go first, so that no request is the one
/// to find out.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of the endpoint.
pub(crate) fn connect(options: &S3Options) -> Result<Client, OptionError> {
    let http = http_client(options)?;
    let timeouts = TimeoutConfig::builder().connect_timeout(options.connect_timeout).build();
    let stalled = StalledStreamProtectionConfig::enabled().grace_period(options.read_timeout).build();
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(options.region.clone()))
        .credentials_provider(credentials(options, &http))
        .force_path_style(options.force_path_style)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(stalled)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .http_client(http);
    if let Some(endpoint) = &options.endpoint {
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

/// HTTP over TCP or TLS, through the proxy if there is one.
fn http_client(options: &S3Options) -> Result<SharedHttpClient, OptionError> {
    let settings = HttpConnectorSettings::builder().connect_timeout(options.connect_timeout).build();
    let tls =
        TlsContext::builder().with_trust_store(trust(options)?).build().map_err(|error| ca_error(options, &error))?;
    let mut connector = Connector::builder()
        .connector_settings(settings)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS);
    if let Some(url) = &options.proxy {
        let proxy = ProxyConfig::all(url.as_str())
            .map_err(|error| OptionError::Proxy { url: url.clone(), why: error.to_string() })?;
        connector = connector.proxy_config(proxy);
    }
    let connector = connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls).build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

impl S3Options {
    /// Whether the file of certificates, if there is one, can be used. Reads it.
    pub fn check_ca_file(&self) -> Result<(), OptionError> {
        trust(self).map(|_| ())
    }
}

/// The system's certificates, and those of the file.
fn trust(options: &S3Options) -> Result<TrustStore, OptionError> {
    let Some(path) = &options.ca_file else {
        return Ok(TrustStore::default());
    };
    let pem = std::fs::read(path).map_err(|error| ca_error(options, &error))?;
    // The HTTP client panics at a file that it cannot use, so it has to be looked at here.
    match certificates(&pem) {
        Ok(0) => {
            Err(ca_error(options, &"it has no certificate (a block that begins with -----BEGIN CERTIFICATE-----)"))
        }
        Ok(_) => Ok(TrustStore::default().with_pem_certificate(pem)),
        Err(why) => Err(ca_error(options, &why)),
    }
}

/// How many certificates there are that can be trusted.
fn certificates(pem: &[u8]) -> Result<usize, String> {
    let mut roots = RootCertStore::empty();
    for found in CertificateDer::pem_slice_iter(pem) {
        let certificate = found.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| format!("certificate {}: {error}", roots.len() + 1))?;
    }
    Ok(roots.len())
}

fn ca_error(options: &S3Options, why: &dyn std::fmt::Display) -> OptionError {
    OptionError::CaFile { path: options.ca_file.clone().unwrap_or_default(), why: why.to_string() }
}

/// Who signs the requests.
fn credentials(options: &S3Options, http: &SharedHttpClient) -> SharedCredentialsProvider {
    let region = Some(Region::new(options.region.clone()));
    let context = ProviderConfig::without_region().with_region(region).with_http_client(http.clone());
    match &options.credentials {
        CredentialSource::Environment => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
        CredentialSource::File(path) => {
            let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path).build();
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&context)
                .profile_files(files)
                .profile_name("default")
                .build();
            SharedCredentialsProvider::new(provider)
        }
        CredentialSource::Profile(name) => {
            let mut provider = ProfileFileCredentialsProvider::builder().configure(&context);
            if let Some(name) = name {
                provider = provider.profile_name(name);
            }
            SharedCredentialsProvider::new(provider.build())
        }
        CredentialSource::Instance => {
            SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(&context).build())
        }
        CredentialSource::Keys(AccessKey { id, secret, session_token }) => {
            SharedCredentialsProvider::new(Credentials::new(id, secret, session_token.clone(), None, "capstan"))
        }
    }
}
