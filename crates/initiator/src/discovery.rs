//! Asking a portal for its targets.

use std::net::SocketAddr;
use std::time::Duration;

use capstan_iscsi::text::{TextBuilder, name, pairs};

use crate::{InitiatorError, Login, Session};

/// A target as a portal lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiscoveredTarget {
    /// Its iSCSI name.
    pub name: String,
    /// Where it is reached, `address:port,group`.
    pub addresses: Vec<String>,
}

/// Logs in to a discovery session, asks for all targets, logs out.
///
/// # Errors
/// [`InitiatorError`].
pub async fn discover(
    address: SocketAddr,
    initiator_name: &str,
    timeout: Duration,
) -> Result<Vec<DiscoveredTarget>, InitiatorError> {
    discover_as(address, &Login::discovery(initiator_name), timeout).await
}

/// The same, with a login of type discovery that can prove who it is.
///
/// # Errors
/// [`InitiatorError`].
pub async fn discover_as(
    address: SocketAddr,
    login: &Login,
    timeout: Duration,
) -> Result<Vec<DiscoveredTarget>, InitiatorError> {
    let session = Session::log_in(address, login, timeout).await?;
    let mut question = TextBuilder::new();
    question.push(name::SEND_TARGETS, "All");
    let answer = session.text(question.finish(), timeout).await?;
    session.log_out(timeout).await?;
    targets(&answer)
}

/// Each TargetName begins a target; the addresses after it are its own. [RFC 7143 Appendix C]
fn targets(text: &[u8]) -> Result<Vec<DiscoveredTarget>, InitiatorError> {
    let mut targets: Vec<DiscoveredTarget> = Vec::new();
    for pair in pairs(text) {
        let pair = pair?;
        match (pair.key, targets.last_mut()) {
            (name::TARGET_NAME, _) => {
                targets.push(DiscoveredTarget { name: pair.value.to_owned(), addresses: Vec::new() });
            }
            (name::TARGET_ADDRESS, Some(target)) => target.addresses.push(pair.value.to_owned()),
            _ => return Err(InitiatorError::Protocol("an answer to SendTargets that begins without a name")),
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_the_name_before_them() {
        let text = b"TargetName=iqn.a\0TargetAddress=127.0.0.1:3260,1\0TargetAddress=[::1]:3260,1\0TargetName=iqn.b\0";
        let found = targets(text).unwrap();
        assert_eq!(found[0].addresses, ["127.0.0.1:3260,1", "[::1]:3260,1"]);
        assert_eq!((found[1].name.as_str(), found[1].addresses.len()), ("iqn.b", 0));
        assert!(targets(b"TargetAddress=127.0.0.1:3260,1\0").is_err());
    }
}
