//! A connection's place in the registry, and its nexus.

use std::net::SocketAddr;
use std::sync::Arc;

use capstan_iscsi::login::LoginStatus;
use capstan_iscsi::target::{TargetQuery, TargetRecord};
use capstan_scsi::sam::{InitiatorPort, NexusId};

use crate::listen::Shared;
use crate::registry::{Counters, Ends};
use crate::target::Target;

/// Exists as long as a connection; undoes on drop what it did, even in a panic.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ends: Ends,
    /// Known after the first Login Request.
    pub(crate) initiator: Option<InitiatorPort>,
    /// What an initiator learns once it has proven who it is.
    pub(crate) verdict: Result<(), LoginStatus>,
    /// The target that is logged in to: place in the table.
    pub(crate) target: Option<usize>,
    pub(crate) nexus: Option<NexusId>,
    pub(crate) counters: Option<Arc<Counters>>,
}

impl Membership {
    pub(crate) fn new(shared: Arc<Shared>, ends: Ends) -> Self {
        Self { shared, ends, initiator: None, verdict: Ok(()), target: None, nexus: None, counters: None }
    }

    pub(crate) fn target(&self) -> Option<&Target> {
        self.shared.targets.get(self.target?)
    }

    /// Finds a target by name. iSCSI names do not differ by case. [RFC 3722]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.shared.targets.iter().position(|target| target.name.eq_ignore_ascii_case(name))
    }

    /// The targets that are asked for and that the initiator may use, at the address that it reached.
    pub(crate) fn send_targets(&self, query: &TargetQuery) -> Vec<TargetRecord> {
        let Some(initiator) = &self.initiator else { return Vec::new() };
        let own = self.target().map(|target| target.name.as_str());
        let is_asked_for = |target: &&Target| match query {
            TargetQuery::All => true,
            TargetQuery::Named(name) => target.name.eq_ignore_ascii_case(name),
            TargetQuery::Own => own == Some(target.name.as_str()),
        };
        let address = address(self.ends.portal);
        let allowed = self.shared.targets.iter().filter(is_asked_for).filter(|target| target.allows(initiator));
        allowed.map(|target| TargetRecord { name: target.name.clone(), addresses: vec![address.clone()] }).collect()
    }
}

/// A portal's address with the only portal group. [RFC 7143 13.8]
fn address(portal: SocketAddr) -> String {
    let canonical = SocketAddr::new(portal.ip().to_canonical(), portal.port());
    format!("{canonical},1")
}

impl Drop for Membership {
    fn drop(&mut self) {
        if let (Some(nexus), Some(target)) = (self.nexus, self.target()) {
            target.router.nexus_lost(nexus);
        }
        // Only now may the same port have the session again.
        self.shared.registry.disconnect(self.ends.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(address("192.0.2.1:3260".parse().unwrap()), "192.0.2.1:3260,1");
        assert_eq!(address("[2001:db8::1]:3260".parse().unwrap()), "[2001:db8::1]:3260,1");
        assert_eq!(address("[::ffff:192.0.2.1]:3260".parse().unwrap()), "192.0.2.1:3260,1");
    }
}
