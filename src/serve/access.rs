//! Who may use what, as the portal and the library want to know it.

use std::sync::Arc;

use capstan_iscsi::chap::Credentials;
use capstan_iscsi::text::DigestPolicy;
use capstan_library::DeviceAccess;
use capstan_portal::{Access, Initiators};
use capstan_scsi::sam::InitiatorPort;

use crate::config::{Account, Config, Digests, Initiator, device_names};

/// Who may log in.
pub(super) fn initiators(config: &Config) -> Initiators {
    if config.iscsi.initiators.is_empty() {
        return Initiators::Anyone;
    }
    let credentials = |account: &Account| Credentials { user: account.user.clone(), secret: account.secret.clone() };
    let listed = config.iscsi.initiators.iter().map(|initiator| capstan_portal::Initiator {
        name: initiator.name.clone(),
        chap: initiator.chap.as_ref().map(credentials),
        mutual: initiator.mutual.as_ref().map(credentials),
    });
    Initiators::Listed(listed.collect())
}

/// Who may use a device; `None` where everyone may use everything.
pub(super) fn to_devices(config: &Config) -> Option<DeviceAccess> {
    let rules = rules(config)?;
    Some(Arc::new(move |port, device| rule(&rules, port).is_some_and(|initiator| initiator.may_use(device))))
}

/// Who may see and use a target: who may use one of the devices behind it. `suffix` is the device's name, or empty for
/// the target of all of them.
pub(super) fn to_target(config: &Config, suffix: &str) -> Option<Access> {
    let rules = rules(config)?;
    let devices = if suffix.is_empty() { device_names(config.library.drives) } else { vec![suffix.to_owned()] };
    Some(Arc::new(move |port| {
        rule(&rules, port).is_some_and(|initiator| devices.iter().any(|device| initiator.may_use(device)))
    }))
}

/// Whether PDUs carry checksums.
pub(super) fn digests(config: &Config) -> DigestPolicy {
    match config.iscsi.digests {
        Digests::Offer => DigestPolicy::Offer,
        Digests::Require => DigestPolicy::Require,
        Digests::Off => DigestPolicy::Off,
    }
}

fn rules(config: &Config) -> Option<Arc<[Initiator]>> {
    let initiators = &config.iscsi.initiators;
    (!initiators.is_empty()).then(|| initiators.as_slice().into())
}

fn rule<'r>(rules: &'r [Initiator], port: &InitiatorPort) -> Option<&'r Initiator> {
    rules.iter().find(|initiator| initiator.name.eq_ignore_ascii_case(&port.name))
}
