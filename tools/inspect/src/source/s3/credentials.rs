//! Who we are, as other programs for S3 find it: arguments, environment, files in `~/.aws`.

use std::fs;
use std::path::PathBuf;

use super::sign::Credentials;
use crate::cli::Options;
use crate::error::Error;

/// Looks at the environment.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    pub(super) region: String,
    /// None asks as anybody.
    pub(super) credentials: Option<Credentials>,
}

impl Settings {
    pub(super) fn find(options: &Options, environment: Environment<'_>) -> Result<Self, Error> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let profile = set("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let config = file(environment, "AWS_CONFIG_FILE", "config");
        // The file of settings calls all profiles but the first "profile NAME".
        let section = if profile == "default" { profile.clone() } else { format!("profile {profile}") };
        let region = options.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
        let region = region.or_else(|| value(&config, &section, "region")).unwrap_or_else(|| "us-east-1".to_owned());
        if options.no_sign_request {
            return Ok(Self { region, credentials: None });
        }
        let stored = file(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let of_file = |name: &str| value(&stored, &profile, name).or_else(|| value(&config, &section, name));
        let of_environment = set("AWS_ACCESS_KEY_ID").zip(set("AWS_SECRET_ACCESS_KEY"));
        let (keys, session_token) = match of_environment {
            Some(keys) => (Some(keys), set("AWS_SESSION_TOKEN")),
            None => (of_file("aws_access_key_id").zip(of_file("aws_secret_access_key")), of_file("aws_session_token")),
        };
        let Some((access_key, secret_key)) = keys else {
            let what = format!(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (profile {profile} has \
                 none), or give --no-sign-request for a public bucket"
            );
            return Err(Error::Usage(what));
        };
        Ok(Self { region, credentials: Some(Credentials { access_key, secret_key, session_token }) })
    }
}

/// A file that the environment names, or one in `~/.aws`; empty if it is not there.
fn file(environment: Environment<'_>, name: &str, usual: &str) -> String {
    let path = environment(name).map(PathBuf::from);
    let path = path.or_else(|| environment("HOME").map(|home| PathBuf::from(home).join(".aws").join(usual)));
    path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
}

/// A value in a section of a file of `[sections]` and `name = value` lines.
fn value(file: &str, section: &str, name: &str) -> Option<String> {
    let mut is_wanted = false;
    for line in file.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[').and_then(|head| head.strip_suffix(']')) {
            is_wanted = head.trim() == section;
        } else if is_wanted
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(region: Option<&str>, set: &[(&str, &str)]) -> Result<(String, Option<String>, Option<String>), Error> {
        let options = Options { region: region.map(str::to_owned), ..Options::default() };
        let environment = |name: &str| set.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned());
        let settings = Settings::find(&options, &environment)?;
        let credentials = settings.credentials.unwrap();
        Ok((settings.region, Some(credentials.access_key), credentials.session_token))
    }

    #[test]
    fn the_environment_comes_before_files_and_arguments_before_all() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        let credentials = "[default]\naws_access_key_id = one\naws_secret_access_key=s\n\n[other]\n\
                           aws_access_key_id=two\naws_secret_access_key = s\naws_session_token = t\n";
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        fs::write(home.path().join(".aws/config"), "[default]\nregion=r1\n[profile other]\nregion = r2\n").unwrap();
        let home = ("HOME", home.path().to_str().unwrap());
        let owned = |text: &str| Some(text.to_owned());
        assert_eq!(find(None, &[home]).unwrap(), ("r1".to_owned(), owned("one"), None));
        let other = ("AWS_PROFILE", "other");
        assert_eq!(find(None, &[home, other]).unwrap(), ("r2".to_owned(), owned("two"), owned("t")));
        let keys = [home, other, ("AWS_ACCESS_KEY_ID", "three"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "r3")];
        assert_eq!(find(None, &keys).unwrap(), ("r3".to_owned(), owned("three"), None));
        assert_eq!(find(Some("r4"), &keys).unwrap().0, "r4");
        let missing = find(None, &[home, ("AWS_PROFILE", "third")]).unwrap_err().to_string();
        assert!(missing.contains("profile third has none"), "{missing}");
    }
}
