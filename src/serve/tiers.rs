//! Tiers, as the configuration describes them.
//!
//! A tier that nobody can reach at the moment is no reason not to start: hosts write to the buffer, and whoever ships
//! probes it again. A tier that is there and cannot be used as it is configured is one, since waiting would not help.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use capstan_s3::{S3Options, S3Probe, S3Tier};
use capstan_tier::names::Names;
use capstan_tier::{Capability, DirProbe, DirTier, Limits, Probe, Tier, TierError, TierErrorKind, WrappingKey};
use tracing::{info, warn};

use crate::config::{TierConfig, TierPlace};
use crate::failure::{Exit, Failure};

/// How long the first probe may keep the start waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tier that can be shipped to, now or later.
#[derive(Debug)]
pub(crate) struct OpenedTier {
    /// Its objects.
    pub(crate) tier: Arc<dyn Tier>,
    /// What it is: `dir`, `s3`.
    pub(crate) kind: String,
    /// Where it is, for a person.
    pub(crate) place: String,
    /// The names of its objects.
    pub(crate) names: Names,
    /// Level of zstd; `None`: not compressed.
    pub(crate) zstd: Option<i32>,
    /// What the keys of cartridges are wrapped with; `None`: not encrypted.
    pub(crate) wrapping_key: Option<WrappingKey>,
    /// How fast it may be used, and when.
    pub(crate) limits: Limits,
    /// Finds out again what it does.
    pub(crate) probe: Arc<dyn Probe>,
    /// What was found just now; `None`: nobody was there to ask.
    pub(crate) found: Option<Capability>,
}

/// Opens a tier that others have used, and probes it if it is going to be written to. A directory has to be there.
///
/// # Errors
/// It cannot be used as it is configured.
pub(crate) async fn reach(config: &TierConfig, near: &Path, probed: bool) -> Result<OpenedTier, Failure> {
    let mut opened = connect(config, true, near).await?;
    if probed {
        opened.found = first_probe(&config.name, opened.probe.as_ref()).await?;
    }
    Ok(opened)
}

/// Opens a tier and probes it. `used` says that this gateway has used it before: then a directory has to be there, else
/// it is made. `near` is where the cartridges are.
///
/// # Errors
/// It cannot be used as it is configured.
pub(crate) async fn open(config: &TierConfig, used: bool, near: &Path) -> Result<OpenedTier, Failure> {
    let mut opened = connect(config, used, near).await?;
    opened.found = first_probe(&config.name, opened.probe.as_ref()).await?;
    Ok(opened)
}

async fn connect(config: &TierConfig, used: bool, near: &Path) -> Result<OpenedTier, Failure> {
    let (tier, kind, place, probe) = match &config.place {
        TierPlace::Dir(root) => directory(config, root, used, near).await?,
        TierPlace::S3(options) => bucket(config, options)?,
    };
    Ok(OpenedTier {
        tier,
        kind: kind.to_owned(),
        place,
        names: config.names.clone(),
        zstd: config.zstd,
        wrapping_key: config.encrypt.as_ref().map(|file| file.key.clone()),
        limits: config.limits.clone(),
        probe,
        found: None,
    })
}

type Parts = (Arc<dyn Tier>, &'static str, String, Arc<dyn Probe>);

async fn directory(config: &TierConfig, root: &Path, used: bool, near: &Path) -> Result<Parts, Failure> {
    let (name, path) = (config.name.clone(), root.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        if used { Ok(DirTier::existing(&name, &path)) } else { DirTier::open(&name, &path) }
    });
    let opened = opened.await.map_err(|error| Failure::failed(error.to_string()))?;
    let tier = opened.map_err(|error| refused(&config.name, &error))?;
    let probe = DirProbe::new(tier.clone(), config.names.clone(), near);
    Ok((Arc::new(tier), "dir", root.display().to_string(), Arc::new(probe)))
}

fn bucket(config: &TierConfig, options: &S3Options) -> Result<Parts, Failure> {
    let tier = S3Tier::open(&config.name, options).map_err(|error| cannot(&config.name, error.to_string()))?;
    let place = match config.names.prefix() {
        "" => tier.address(),
        prefix => format!("{prefix} in {}", tier.address()),
    };
    let probe = S3Probe::new(tier.clone(), config.names.clone(), config.single_gateway);
    Ok((Arc::new(tier), "s3", place, Arc::new(probe)))
}

/// What the tier does, as far as it answers.
async fn first_probe(name: &str, probe: &dyn Probe) -> Result<Option<Capability>, Failure> {
    let error = match tokio::time::timeout(PATIENCE, probe.probe()).await {
        Ok(Ok(found)) => {
            for note in &found.notes {
                info!(tier = name, "{note}");
            }
            return Ok(Some(found));
        }
        Ok(Err(error)) if is_refusal(error.kind) => return Err(refused(name, &error)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer to all questions within {} s", PATIENCE.as_secs()),
    };
    warn!(tier = name, error, "the tier cannot be used yet; hosts write to the upload buffer meanwhile");
    Ok(None)
}

/// Somebody has to do something about it here, rather than where the tier is.
fn is_refusal(kind: TierErrorKind) -> bool {
    match kind {
        TierErrorKind::Denied | TierErrorKind::Misconfigured | TierErrorKind::Credentials => true,
        TierErrorKind::Conflict
        | TierErrorKind::Throttled
        | TierErrorKind::Unavailable
        | TierErrorKind::NoSpace
        | TierErrorKind::NotFound
        | TierErrorKind::Corrupt => false,
    }
}

fn refused(name: &str, error: &TierError) -> Failure {
    cannot(name, error.to_string())
}

fn cannot(name: &str, why: String) -> Failure {
    Failure::new(Exit::Failed, format!("tier {name} cannot be used"))
        .why(why)
        .next("correct what is said above, or [[tier]] in the configuration, and start again")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use capstan_s3::CredentialSource;
    use capstan_tier::{Body, Created, Pending, Rates};

    use super::*;
    use crate::config::KeyFile;

    fn config(place: TierPlace) -> TierConfig {
        TierConfig {
            name: "disk".to_owned(),
            place,
            names: Names::new("site").unwrap(),
            single_gateway: false,
            zstd: Some(3),
            encrypt: Some(KeyFile { file: "key".into(), key: WrappingKey::new([7; 32]) }),
            limits: Limits { usual: Rates { upload: Some(1 << 20), download: None }, windows: Vec::new() },
        }
    }

    #[tokio::test]
    async fn a_directory_is_made_once_and_has_to_be_there_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("tier");
        let config = config(TierPlace::Dir(root.clone()));
        let away = open(&config, true, directory.path()).await.unwrap();
        assert_eq!(away.found, None);
        assert!(!root.exists(), "a directory that this gateway has used before is not made");
        let opened = open(&config, false, directory.path()).await.unwrap();
        assert_eq!((opened.kind.as_str(), opened.place.as_str()), ("dir", root.to_str().unwrap()));
        assert_eq!((opened.names.clone(), opened.zstd, opened.limits.clone()), (config.names, Some(3), config.limits));
        assert_eq!(opened.wrapping_key.as_ref().map(WrappingKey::id), Some(WrappingKey::new([7; 32]).id()));
        assert_eq!(opened.found.as_ref().map(|found| (found.read_back, found.notes.len())), Some((false, 1)));
        let key = opened.names.probe(1);
        assert_eq!(opened.tier.create(&key, Body::from(vec![1])).await, Ok(Created::New));
        assert_eq!(fs::read(root.join("site/v1/probe/0000000000000001")).unwrap(), [1]);
        assert_eq!(away.probe.probe().await, Ok(opened.found.unwrap()), "it came back");
        assert_eq!(away.tier.head(&key).await.unwrap().length, 1);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_keeps_from_starting() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(TierPlace::Dir(directory.path().join("no/tier")));
        let failure = open(&config, false, directory.path()).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        let text = failure.to_string();
        assert!(text.starts_with("error: tier disk cannot be used\n  why:  cannot open the directory: "), "{text}");
    }

    /// A server that is away is waited for; without keys to it, waiting would not help.
    #[tokio::test]
    async fn a_server_that_is_away_does_not_keep_from_starting() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys");
        fs::write(&file, "[default]\naws_access_key_id = a\naws_secret_access_key = b\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = nobody.local_addr().unwrap().port();
        tokio::spawn(async move { while nobody.accept().await.is_ok() {} });
        let options = S3Options {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            force_path_style: true,
            credentials: CredentialSource::File(file.clone()),
            ..S3Options::new("tapes", "us-east-1")
        };
        let config = config(TierPlace::S3(Box::new(options)));
        let opened = open(&config, true, directory.path()).await.unwrap();
        assert_eq!(opened.kind, "s3");
        assert_eq!(opened.place, format!("site/ in bucket tapes at http://127.0.0.1:{port}"));
        assert_eq!(opened.found, None);
        assert_eq!(opened.probe.probe().await.unwrap_err().kind, TierErrorKind::Unavailable);
        fs::remove_file(&file).unwrap();
        let failure = open(&config, true, directory.path()).await.unwrap_err();
        assert!(failure.to_string().contains("why:  cannot probe site/v1/probe/"), "{failure}");
        assert!(failure.to_string().contains("no credentials"), "{failure}");
    }

    /// Of the errors that a probe can give, each has its answer.
    #[tokio::test]
    async fn what_a_probe_says_decides() {
        #[derive(Debug)]
        struct Says(TierErrorKind);
        impl Probe for Says {
            fn probe(&self) -> Pending<'_, Capability> {
                Box::pin(async { Err(TierError::new(self.0, "probe", "x", "why")) })
            }
        }
        for (kind, starts) in [
            (TierErrorKind::Unavailable, true),
            (TierErrorKind::Throttled, true),
            (TierErrorKind::Conflict, true),
            (TierErrorKind::NoSpace, true),
            (TierErrorKind::Corrupt, true),
            (TierErrorKind::NotFound, true),
            (TierErrorKind::Denied, false),
            (TierErrorKind::Misconfigured, false),
            (TierErrorKind::Credentials, false),
        ] {
            assert_eq!(first_probe("x", &Says(kind)).await.ok(), starts.then_some(None), "{kind}");
        }
    }
}
