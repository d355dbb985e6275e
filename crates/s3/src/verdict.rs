//! What the codes and statuses of S3 mean to us: the one table. [Amazon S3 API Reference, Error Responses]
//!
//! Servers besides Amazon's have codes of their own for a full disk; those that are known are here, too. A code that is
//! not here is judged by the status that it comes with.

use capstan_tier::TierErrorKind::{
    self, Conflict, Corrupt, Credentials, Denied, Misconfigured, NoSpace, NotFound, Throttled, Unavailable,
};

/// A row: `{bucket}` and `{endpoint}` stand for their names.
pub(crate) struct Verdict {
    codes: &'static [&'static str],
    pub(crate) kind: TierErrorKind,
    /// What happened.
    pub(crate) what: &'static str,
    /// What can be done; empty if that is the caller's to know.
    pub(crate) next: &'static str,
}

/// The code that is told with both clocks.
pub(crate) const CLOCK: &str = "RequestTimeTooSkewed";

const AGAIN: &str = "it is tried again";
const CHECK_KEYS: &str = "check the credentials of this tier";

const fn row(codes: &'static [&'static str], kind: TierErrorKind, what: &'static str, next: &'static str) -> Verdict {
    Verdict { codes, kind, what, next }
}

const DENIED: Verdict = row(
    &["AccessDenied", "AllAccessDisabled", "AccountProblem"],
    Denied,
    "access to bucket {bucket} is denied",
    "give this key permission for the operation",
);
const INVALID_KEYS: Verdict = row(
    &["InvalidToken", "InvalidSecurity", "NotSignedUp", "UnauthorizedAccess"],
    Credentials,
    "the credentials are not valid",
    CHECK_KEYS,
);
const THROTTLED: Verdict = row(
    &[
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "RequestLimitExceeded",
        "ServiceUnavailable",
    ],
    Throttled,
    "the server asks for fewer requests",
    "it is tried again later",
);
const NO_SPACE: Verdict = row(
    &[
        "QuotaExceeded",
        "InsufficientStorage",
        "InsufficientCapacity",
        "StorageFull",
        "XMinioStorageFull",
        "XMinioAdminBucketQuotaExceeded",
    ],
    NoSpace,
    "the tier has no room left",
    "enlarge it or delete from it",
);
const TOO_SHORT: Verdict =
    row(&["InvalidRange"], Corrupt, "the object ends before the range that was asked for", "verify the cartridge");
const NO_SUCH_KEY: Verdict = row(&["NoSuchKey"], NotFound, "there is no such object", "");
const CONFLICT: Verdict = row(
    &["ConditionalRequestConflict", "OperationAborted"],
    Conflict,
    "another request for this key is under way",
    AGAIN,
);
const ELSEWHERE: Verdict = row(
    &["PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
    Misconfigured,
    "bucket {bucket} is in another region or at another endpoint than {endpoint}",
    "correct region or endpoint in the configuration",
);
const NOT_IMPLEMENTED: Verdict = row(
    &["NotImplemented"],
    Misconfigured,
    "the server does not implement this",
    "`tier test` says what it lacks and which options help",
);
const PLAIN_ONLY: Verdict = row(
    &["MissingContentLength"],
    Misconfigured,
    "the server wants plain uploads",
    "set checksum = \"when_required\" for this tier",
);
const REQUEST_TIMEOUT: Verdict =
    row(&["RequestTimeout"], Unavailable, "the server waited in vain for the rest of the request", AGAIN);
const FAILED: Verdict = row(&["InternalError"], Unavailable, "the server at {endpoint} failed", AGAIN);
const REFUSED: Verdict = row(
    &[],
    Misconfigured,
    "the server at {endpoint} refused the request",
    "check endpoint, region and bucket; `tier test` tries each operation",
);

const BY_CODE: &[Verdict] = &[
    row(
        &["NoSuchBucket"],
        Misconfigured,
        "bucket {bucket} does not exist at {endpoint}",
        "create it, or correct bucket or endpoint in the configuration",
    ),
    row(&[CLOCK], Misconfigured, "the clocks disagree", "set the clock of this machine (chrony, timesyncd)"),
    row(&["InvalidAccessKeyId"], Credentials, "the server does not know the access key", CHECK_KEYS),
    row(
        &["SignatureDoesNotMatch"],
        Credentials,
        "the secret key does not belong to the access key",
        "check the credentials of this tier; a proxy that changes requests has the same effect",
    ),
    row(
        &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"],
        Credentials,
        "the session token has expired",
        "get new credentials",
    ),
    row(
        &["InvalidObjectState"],
        Denied,
        "the object is in an archive class and cannot be read as it is",
        "have it retrieved, and check the lifecycle rules of the bucket",
    ),
    row(
        &["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody"],
        Corrupt,
        "the server did not receive the bytes that were sent",
        "nothing was stored; if it happens again, suspect network hardware or a proxy",
    ),
    row(&["NoSuchUpload"], Conflict, "somebody ended this upload meanwhile", "it is begun anew"),
    INVALID_KEYS,
    DENIED,
    THROTTLED,
    NO_SPACE,
    TOO_SHORT,
    NO_SUCH_KEY,
    CONFLICT,
    ELSEWHERE,
    NOT_IMPLEMENTED,
    PLAIN_ONLY,
    REQUEST_TIMEOUT,
    FAILED,
];

/// What an answer means.
pub(crate) fn verdict(status: u16, code: &str) -> Verdict {
    if let Some(known) = BY_CODE.iter().find(|row| row.codes.contains(&code)) {
        return Verdict { ..*known };
    }
    match status {
        _ if code.starts_with("KMS.") => {
            row(&[], Misconfigured, "the key of aws:kms cannot be used", "check kms_key and its policy")
        }
        300..=399 => ELSEWHERE,
        401 => INVALID_KEYS,
        403 => DENIED,
        404 => NO_SUCH_KEY,
        408 => REQUEST_TIMEOUT,
        409 | 412 => CONFLICT,
        411 => PLAIN_ONLY,
        416 => TOO_SHORT,
        429 => THROTTLED,
        501 => NOT_IMPLEMENTED,
        507 => NO_SPACE,
        500..=599 => FAILED,
        _ => REFUSED,
    }
}
