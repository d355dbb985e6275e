//! Which checksums a server takes, and which of them it checks.

use bytes::Bytes;

use super::Probe;
use crate::capabilities::Check;
use crate::checksum::{Checksum, Kind, SignedContent};
use crate::failure::Failure;
use crate::options::ChecksumPolicy;
use crate::put::Checks;
use capstan_tier::{Created, Tier as _, TierError, TierErrorKind};

/// What is sent, and what the wrong checksums belong to.
const CONTENT: &[u8] = b"the content that is sent";
const OTHER: &[u8] = b"the content that is named";
/// Failures until one is believed.
const ATTEMPTS: usize = 3;

impl Probe<'_> {
    /// The checks that the server makes, and the checksum to use with it.
    pub(super) async fn checks(&mut self) -> Result<(Vec<Check>, Kind), TierError> {
        let crc32c = self.takes(Kind::Crc32c).await?;
        let md5 = self.takes(Kind::Md5).await?;
        let mut checks = Vec::new();
        if self.refuses(Check::Sha256, if crc32c { Kind::Crc32c } else { Kind::Md5 }).await? {
            checks.push(Check::Sha256);
        }
        if crc32c && self.refuses(Check::Crc32c, Kind::Crc32c).await? {
            checks.push(Check::Crc32c);
        }
        if md5 && self.refuses(Check::Md5, Kind::Md5).await? {
            checks.push(Check::Md5);
        }
        let kind = match self.tier.policy() {
            ChecksumPolicy::Crc32c => Kind::Crc32c,
            ChecksumPolicy::WhenRequired => Kind::Md5,
            ChecksumPolicy::Auto if crc32c && (checks.contains(&Check::Crc32c) || !checks.contains(&Check::Md5)) => {
                Kind::Crc32c
            }
            ChecksumPolicy::Auto if md5 => {
                self.note("The server does not check CRC32C: uploads carry Content-MD5 instead.");
                Kind::Md5
            }
            ChecksumPolicy::Auto => Kind::Crc32c,
        };
        Ok((checks, kind))
    }

    /// Content with a right checksum is taken. If it is not, and the policy leaves no other, that is the error.
    async fn takes(&mut self, kind: Kind) -> Result<bool, TierError> {
        let name = format!("right-{kind:?}");
        let content = [Bytes::from_static(CONTENT)];
        let checks = Checks { checksum: Checksum::of(&content, kind), content: SignedContent::of(&content) };
        let only = match self.tier.policy() {
            ChecksumPolicy::Crc32c => kind == Kind::Crc32c,
            ChecksumPolicy::WhenRequired => kind == Kind::Md5,
            // MD5 is the last resort: what is wrong with it is wrong with everything.
            ChecksumPolicy::Auto => kind == Kind::Md5,
        };
        match self.tier.put_once(&self.key(&name), &content, checks, false).await {
            Ok(_) => Ok(true),
            Err(failure) => {
                let (status, code) = (failure.status, failure.code.clone());
                let error = self.error(failure, &name);
                let about_it = matches!(status, 400 | 411 | 501) && !matches!(error.kind, TierErrorKind::Credentials);
                if only || !about_it {
                    return Err(error);
                }
                self.note(format!("The server refuses uploads with {kind:?} ({status} {code})."));
                Ok(false)
            }
        }
    }

    /// Content with one wrong checksum is refused, and not there.
    async fn refuses(&mut self, check: Check, kind: Kind) -> Result<bool, TierError> {
        let name = format!("wrong-{check:?}");
        // A server may fail by accident, or always where it should refuse: nobody can rely on the second.
        for attempt in 0..ATTEMPTS {
            match self.put_wrong(&name, check, kind).await {
                Ok(_) => return Ok(false),
                Err(Failure { silence: None, status: 400..=499, .. }) => return self.is_absent(&name, check).await,
                Err(Failure { silence: None, status: 500, .. }) if attempt + 1 < ATTEMPTS => {}
                Err(Failure { silence: None, status: 500, .. }) => {
                    self.note(format!("The server fails at a wrong {check} rather than to refuse it."));
                    return Ok(false);
                }
                Err(failure) => return Err(self.error(failure, &name)),
            }
        }
        Ok(false)
    }

    async fn put_wrong(&self, name: &str, check: Check, kind: Kind) -> Result<Created, Failure> {
        let (content, other) = ([Bytes::from_static(CONTENT)], [Bytes::from_static(OTHER)]);
        let wrong = |wrong: bool| if wrong { &other } else { &content };
        let checks = Checks {
            checksum: Checksum::of(wrong(check != Check::Sha256), kind),
            content: SignedContent::of(wrong(check == Check::Sha256)),
        };
        self.tier.put_once(&self.key(name), &content, checks, false).await
    }

    /// What was refused is not there.
    async fn is_absent(&mut self, name: &str, check: Check) -> Result<bool, TierError> {
        match self.tier.head(&self.key(name)).await {
            Err(error) if error.kind == TierErrorKind::NotFound => Ok(true),
            Ok(_) => {
                self.note(format!("The server refuses a wrong {check}, and stores the content all the same."));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
