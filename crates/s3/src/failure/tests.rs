use super::*;
use TierErrorKind as Kind;

fn place() -> Place {
    Place { bucket: "tapes".to_owned(), endpoint: "https://s3.example.org".to_owned() }
}

fn said(status: u16, code: &str) -> Failure {
    Failure { status, code: code.to_owned(), ..Failure::default() }
}

/// Every code that is known, and every status without a code.
#[test]
fn row_by_row() {
    let rows = [
        (404, "NoSuchBucket", Kind::Misconfigured),
        (403, "RequestTimeTooSkewed", Kind::Misconfigured),
        (403, "InvalidAccessKeyId", Kind::Credentials),
        (403, "SignatureDoesNotMatch", Kind::Credentials),
        (400, "ExpiredToken", Kind::Credentials),
        (403, "ExpiredTokenException", Kind::Credentials),
        (400, "TokenRefreshRequired", Kind::Credentials),
        (400, "InvalidToken", Kind::Credentials),
        (403, "InvalidSecurity", Kind::Credentials),
        (403, "InvalidObjectState", Kind::Denied),
        (403, "AccessDenied", Kind::Denied),
        (403, "AllAccessDisabled", Kind::Denied),
        (503, "SlowDown", Kind::Throttled),
        (200, "SlowDown", Kind::Throttled),
        (429, "TooManyRequests", Kind::Throttled),
        (400, "ThrottlingException", Kind::Throttled),
        (503, "ServiceUnavailable", Kind::Throttled),
        (403, "QuotaExceeded", Kind::NoSpace),
        (507, "InsufficientStorage", Kind::NoSpace),
        (507, "XMinioStorageFull", Kind::NoSpace),
        (400, "BadDigest", Kind::Corrupt),
        (400, "InvalidDigest", Kind::Corrupt),
        (400, "XAmzContentSHA256Mismatch", Kind::Corrupt),
        (400, "XAmzContentChecksumMismatch", Kind::Corrupt),
        (400, "IncompleteBody", Kind::Corrupt),
        (416, "InvalidRange", Kind::Corrupt),
        (404, "NoSuchKey", Kind::NotFound),
        (404, "NoSuchUpload", Kind::Conflict),
        (409, "ConditionalRequestConflict", Kind::Conflict),
        (409, "OperationAborted", Kind::Conflict),
        (301, "PermanentRedirect", Kind::Misconfigured),
        (400, "AuthorizationHeaderMalformed", Kind::Misconfigured),
        (501, "NotImplemented", Kind::Misconfigured),
        (411, "MissingContentLength", Kind::Misconfigured),
        (400, "RequestTimeout", Kind::Unavailable),
        (200, "InternalError", Kind::Unavailable),
        (500, "InternalError", Kind::Unavailable),
        (400, "KMS.DisabledException", Kind::Misconfigured),
        (307, "", Kind::Misconfigured),
        (400, "", Kind::Misconfigured),
        (401, "", Kind::Credentials),
        (403, "", Kind::Denied),
        (404, "", Kind::NotFound),
        (404, "NotFound", Kind::NotFound),
        (405, "MethodNotAllowed", Kind::Misconfigured),
        (408, "", Kind::Unavailable),
        (409, "", Kind::Conflict),
        (411, "", Kind::Misconfigured),
        (412, "", Kind::Conflict),
        (416, "", Kind::Corrupt),
        (429, "", Kind::Throttled),
        (500, "", Kind::Unavailable),
        (501, "", Kind::Misconfigured),
        (502, "", Kind::Unavailable),
        (503, "", Kind::Unavailable),
        (504, "", Kind::Unavailable),
        (507, "", Kind::NoSpace),
    ];
    for (status, code, kind) in rows {
        let (judged, what, _) = said(status, code).judge(&place(), SystemTime::UNIX_EPOCH);
        assert_eq!(judged, kind, "{status} {code}: {what}");
    }
}

#[test]
fn without_an_answer() {
    let rows = [
        (Silence::Timeout("30s".to_owned()), Kind::Unavailable, "https://s3.example.org did not answer in time: 30s"),
        (Silence::Connection("reset".to_owned()), Kind::Unavailable, "no connection to https://s3.example.org: reset"),
        (
            Silence::Untrusted("UnknownIssuer".to_owned()),
            Kind::Misconfigured,
            "the certificate of https://s3.example.org is not trusted: UnknownIssuer",
        ),
        (Silence::NoTls, Kind::Misconfigured, "what answers at https://s3.example.org speaks no TLS"),
        (Silence::NoCredentials("no file".to_owned()), Kind::Credentials, "no credentials: no file"),
        (
            Silence::Gibberish("xml".to_owned()),
            Kind::Unavailable,
            "what came from https://s3.example.org is no answer of S3: xml",
        ),
        (Silence::Impossible("key".to_owned()), Kind::Misconfigured, "the request cannot be made: key"),
    ];
    for (silence, kind, words) in rows {
        let failure = Failure { silence: Some(silence), ..Failure::default() };
        let (judged, what, next) = failure.judge(&place(), SystemTime::UNIX_EPOCH);
        assert_eq!((judged, what.as_str()), (kind, words));
        assert!(!next.is_empty());
    }
}

#[test]
fn a_message_says_what_was_said_and_what_to_do() {
    let failure = Failure {
        said: "The bucket is not there".to_owned(),
        request_id: "R1".to_owned(),
        ..said(404, "NoSuchBucket")
    };
    let error = failure.into_error(&place(), "create", "v1/x");
    assert_eq!(
        error.to_string(),
        "cannot create v1/x: bucket tapes does not exist at https://s3.example.org (the server said 404 NoSuchBucket: \
         The bucket is not there; request R1); create it, or correct bucket or endpoint in the configuration"
    );
    let bare = said(404, "").into_error(&place(), "head", "v1/x");
    assert_eq!(bare.to_string(), "cannot head v1/x: there is no such object (the server said 404)");
}

#[test]
fn both_clocks() {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_176_000);
    let skewed = Failure { date: Some(noon + Duration::from_secs(3600)), ..said(403, "RequestTimeTooSkewed") };
    let (_, what, _) = skewed.judge(&place(), noon);
    assert_eq!(what, "the clocks disagree: here it is 2026-11-20T12:00:00Z, there 2026-11-20T13:00:00Z");
    let unknown = said(403, "RequestTimeTooSkewed").judge(&place(), noon).1;
    assert!(unknown.ends_with("there unknown"), "{unknown}");
}

#[test]
fn how_long_to_wait() {
    assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
    assert_eq!(retry_after(" 0 "), Some(Duration::ZERO));
    assert_eq!(retry_after("99999999999"), Some(Duration::from_secs(3600)));
    assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT"), None);
    for nonsense in ["", "soon", "-1", "1.5"] {
        assert_eq!(retry_after(nonsense), None, "{nonsense}");
    }
}
