//! Every key of a `[[tier]]`.

use std::path::PathBuf;

use capstan_s3::ChecksumPolicy;
use capstan_tier::names::Names;
use toml::de::DeValue;

use super::draft::{Credentials, Draft, Kind, Sse};
use crate::config::entry::Row;
use crate::config::keys::is_plain_name;
use crate::config::values;

/// One key of such a table.
pub(super) struct TierKey {
    /// Its name.
    pub(super) name: &'static str,
    /// The kind of tier that has it; `None`: both.
    pub(super) of: Option<Kind>,
    /// What may be given.
    pub(super) allowed: &'static str,
    /// What holds where it is left out, as the reference says it.
    default: &'static str,
    /// What it is for.
    doc: &'static str,
    /// Takes a value over; `None` where it is not allowed.
    pub(super) apply: fn(&mut Draft, &DeValue<'_>) -> Option<()>,
}

/// The keys as the reference says them.
pub(in crate::config) fn rows() -> impl Iterator<Item = Row> {
    KEYS.iter().map(|key| Row {
        name: key.name,
        allowed: key.allowed,
        default: key.default,
        doc: key.of.map_or_else(|| key.doc.to_owned(), |kind| format!("(`{}`) {}", kind.name(), key.doc)),
    })
}

/// What holds where nothing is.
const NONE: &str = "none";

/// The least that a tier can be slowed down to: a segment in 17 minutes.
const LEAST_RATE: u64 = 64 << 10;
pub(super) const RATE_ALLOWED: &str = "bytes a second from 64KiB, as \"20MiB\", or \"\" for no limit";

/// Bytes a second, or no limit.
pub(super) fn rate(value: &DeValue<'_>) -> Option<Option<u64>> {
    match values::text(value)? {
        None => Some(None),
        Some(_) => values::size(value, LEAST_RATE, u64::MAX).map(|size| Some(size.0)),
    }
}

pub(super) const KEYS: &[TierKey] = &[
    TierKey {
        name: "name",
        of: None,
        allowed: "1 to 32 lower-case letters, digits and hyphens, with a letter or digit at both ends",
        default: "must be given",
        doc: "What commands and messages call it.",
        apply: |draft, value| {
            draft.name = Some(value.as_str().filter(|name| is_plain_name(name))?.to_owned());
            Some(())
        },
    },
    TierKey {
        name: "kind",
        of: None,
        allowed: "\"s3\" or \"dir\"",
        default: "must be given",
        doc: "`s3`: a bucket of an S3 server. `dir`: a directory, of a network file system or another disk.",
        apply: |draft, value| {
            draft.kind = Some(match value.as_str()? {
                "s3" => Kind::S3,
                "dir" => Kind::Dir,
                _ => return None,
            });
            Some(())
        },
    },
    TierKey {
        name: "single_gateway",
        of: None,
        allowed: "true or false",
        default: "`false`",
        doc: "No other gateway ever uses the same place. Needed with servers that cannot create an object atomically: \
              with them nothing keeps two gateways from writing over each other.",
        apply: |draft, value| {
            draft.single_gateway = value.as_bool()?;
            Some(())
        },
    },
    TierKey {
        name: "compress",
        of: None,
        allowed: "\"zstd:1\" to \"zstd:19\", or \"off\"",
        default: "`\"zstd:3\"`",
        doc: "How what is shipped is compressed. What does not become smaller is left as it is. The tier `local` of a \
              gateway without `[[tier]]` is not compressed.",
        apply: |draft, value| {
            draft.zstd = match value.as_str()? {
                "off" => None,
                text => Some(level(text.strip_prefix("zstd:")?)?),
            };
            Some(())
        },
    },
    TierKey {
        name: "encrypt_key_file",
        of: None,
        allowed: "the path of a file, or \"\" for no encryption",
        default: NONE,
        doc: "File with the key that wraps the keys of the cartridges: 32 bytes, or 64 hexadecimal digits, mode 0600 or \
              0400. What is shipped is encrypted with AES-256-GCM. **Without this key nothing in the tier can be read \
              again**: keep a copy elsewhere. A relative path starts at the directory of the configuration file.",
        apply: |draft, value| {
            draft.encrypt_key_file = values::text(value)?.map(PathBuf::from);
            Some(())
        },
    },
    TierKey {
        name: "upload_limit",
        of: None,
        allowed: RATE_ALLOWED,
        default: NONE,
        doc: "How fast is shipped.",
        apply: |draft, value| {
            draft.usual.upload = rate(value)?;
            Some(())
        },
    },
    TierKey {
        name: "download_limit",
        of: None,
        allowed: RATE_ALLOWED,
        default: NONE,
        doc: "How fast is fetched.",
        apply: |draft, value| {
            draft.usual.download = rate(value)?;
            Some(())
        },
    },
    TierKey {
        name: "path",
        of: Some(Kind::Dir),
        allowed: "the path of a directory",
        default: "must be given",
        doc: "The directory. It is made when this gateway uses it for the first time; after that it has to be there, so \
              that a file system that is not mounted is not taken for an empty tier. A relative path starts at the \
              directory that the daemon was started in.",
        apply: |draft, value| {
            draft.path = Some(PathBuf::from(values::text(value)??));
            Some(())
        },
    },
    TierKey {
        name: "bucket",
        of: Some(Kind::S3),
        allowed: "the name of a bucket that exists: 3 to 63 lower-case letters, digits, dots and hyphens",
        default: "must be given",
        doc: "The bucket.",
        apply: |draft, value| {
            draft.s3.bucket = values::text(value)??;
            Some(())
        },
    },
    TierKey {
        name: "prefix",
        of: Some(Kind::S3),
        allowed: "\"\", or parts of A-Z a-z 0-9 - _ . $ +, none beginning with a dot, with / between them",
        default: "`\"\"`",
        doc: "What the name of every object begins with. Nothing outside is looked at. It must not be changed once \
              cartridges were shipped.",
        apply: |draft, value| {
            draft.names = Names::new(value.as_str()?).ok()?;
            Some(())
        },
    },
    TierKey {
        name: "endpoint",
        of: Some(Kind::S3),
        allowed: "http:// or https:// with a host and perhaps a port, or \"\" for Amazon's of the region",
        default: "Amazon's",
        doc: "The server.",
        apply: |draft, value| {
            draft.s3.endpoint = values::text(value)?;
            Some(())
        },
    },
    TierKey {
        name: "region",
        of: Some(Kind::S3),
        allowed: "a name like us-east-1",
        default: "`\"us-east-1\"`",
        doc: "The region of the bucket. Most servers besides Amazon's take any.",
        apply: |draft, value| {
            draft.s3.region = values::text(value)??;
            Some(())
        },
    },
    TierKey {
        name: "force_path_style",
        of: Some(Kind::S3),
        allowed: "true or false",
        default: "`true` with an `endpoint`, else `false`",
        doc: "The bucket is in the path of a request rather than in the host's name.",
        apply: |draft, value| {
            draft.force_path_style = Some(value.as_bool()?);
            Some(())
        },
    },
    TierKey {
        name: "credentials",
        of: Some(Kind::S3),
        allowed: "\"env\", \"file\", \"profile\" or \"instance\"",
        default: "`\"env\"`",
        doc: "Where the access key comes from. `env`: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and perhaps \
              `AWS_SESSION_TOKEN` of the daemon. `file`: `credentials_file`. `profile`: a profile of the daemon's user, in \
              ~/.aws. `instance`: the role of the virtual machine.",
        apply: |draft, value| {
            draft.credentials = match value.as_str()? {
                "env" => Credentials::Env,
                "file" => Credentials::File,
                "profile" => Credentials::Profile,
                "instance" => Credentials::Instance,
                _ => return None,
            };
            Some(())
        },
    },
    TierKey {
        name: "credentials_file",
        of: Some(Kind::S3),
        allowed: "the path of a file, with credentials = \"file\"",
        default: NONE,
        doc: "File in the form of ~/.aws/credentials, mode 0600 or 0400, of which `[default]` is used. A relative path \
              starts at the directory of the configuration file.",
        apply: |draft, value| {
            draft.credentials_file = values::text(value)?.map(PathBuf::from);
            Some(())
        },
    },
    TierKey {
        name: "credentials_profile",
        of: Some(Kind::S3),
        allowed: "the name of a profile, with credentials = \"profile\"",
        default: "`AWS_PROFILE`, or `default`",
        doc: "The profile.",
        apply: |draft, value| {
            draft.credentials_profile = values::text(value)?;
            Some(())
        },
    },
    TierKey {
        name: "storage_class",
        of: Some(Kind::S3),
        allowed: "a class whose objects can be read at once, as \"STANDARD_IA\", or \"\" for the bucket's own",
        default: "the bucket's own",
        doc: "The storage class of new objects.",
        apply: |draft, value| {
            draft.s3.storage_class = values::text(value)?;
            Some(())
        },
    },
    TierKey {
        name: "sse",
        of: Some(Kind::S3),
        allowed: "\"AES256\", \"aws:kms\", or \"\" for what the bucket does by itself",
        default: "the bucket's own",
        doc: "Encryption by the server, with keys that the server has.",
        apply: |draft, value| {
            draft.sse = match value.as_str()? {
                "" => Sse::Off,
                "AES256" => Sse::Aes256,
                "aws:kms" => Sse::Kms,
                _ => return None,
            };
            Some(())
        },
    },
    TierKey {
        name: "kms_key",
        of: Some(Kind::S3),
        allowed: "a key's identifier or ARN, with sse = \"aws:kms\"",
        default: "the account's",
        doc: "The key that the server encrypts with.",
        apply: |draft, value| {
            draft.kms_key = values::text(value)?;
            Some(())
        },
    },
    TierKey {
        name: "ca_file",
        of: Some(Kind::S3),
        allowed: "the path of a file with certificates (PEM), or \"\" for none",
        default: NONE,
        doc: "Certificates that are trusted besides the system's. A relative path starts at the directory of the \
              configuration file.",
        apply: |draft, value| {
            draft.s3.ca_file = values::text(value)?.map(PathBuf::from);
            Some(())
        },
    },
    TierKey {
        name: "proxy",
        of: Some(Kind::S3),
        allowed: "http:// with a host and a port, or \"\" for none",
        default: NONE,
        doc: "Every request goes through it.",
        apply: |draft, value| {
            draft.s3.proxy = values::text(value)?;
            Some(())
        },
    },
    TierKey {
        name: "checksum",
        of: Some(Kind::S3),
        allowed: "\"auto\", \"when_required\" or \"crc32c\"",
        default: "`\"auto\"`",
        doc: "What protects uploads on their way, besides the SHA-256 that is signed. `auto`: CRC32C, or Content-MD5 where \
              the start finds that the server only checks that. `when_required`: Content-MD5, for servers that refuse \
              newer headers. `crc32c`: CRC32C in any case.",
        apply: |draft, value| {
            draft.s3.checksum = match value.as_str()? {
                "auto" => ChecksumPolicy::Auto,
                "when_required" => ChecksumPolicy::WhenRequired,
                "crc32c" => ChecksumPolicy::Crc32c,
                _ => return None,
            };
            Some(())
        },
    },
];

/// A level of zstd that needs no more memory than others.
fn level(digits: &str) -> Option<i32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|level| plain && (1..=19).contains(level))
}
