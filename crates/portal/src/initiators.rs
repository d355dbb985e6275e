//! Who may log in, and with what proof.

use std::collections::HashSet;

use capstan_iscsi::chap::Credentials;
use capstan_iscsi::login::LoginStatus;

use crate::listen::PortalError;

/// Who may log in at a portal, discovery sessions included. Which targets one may use is [`crate::Target::access`].
#[derive(Clone, Debug, Default)]
pub enum Initiators {
    /// Everyone, without proof.
    #[default]
    Anyone,
    /// These.
    Listed(Vec<Initiator>),
}

/// An initiator that may log in.
#[derive(Clone, Debug)]
pub struct Initiator {
    /// Its iSCSI name, in upper or lower case.
    pub name: String,
    /// What it has to prove that it knows; its name is enough if `None`.
    pub chap: Option<Credentials>,
    /// What the portal proves in turn if the initiator asks for it. Its secret is not that of `chap`.
    pub mutual: Option<Credentials>,
}

impl Initiators {
    /// What is known of an initiator: `None` inside where nothing needs to be.
    ///
    /// One that is not listed gets "authorization failure", not "authentication failure": it was not asked for any
    /// proof, and no secret that its owner could correct would let it in. [RFC 7143 11.13.5]
    pub(crate) fn find(&self, name: &str) -> Result<Option<&Initiator>, LoginStatus> {
        match self {
            Self::Anyone => Ok(None),
            Self::Listed(all) => {
                let found = all.iter().find(|initiator| initiator.name.eq_ignore_ascii_case(name));
                found.map(Some).ok_or(LoginStatus::AUTHORIZATION_FAILURE)
            }
        }
    }

    /// Refuses what could not work, or would only look safe.
    pub(crate) fn check(&self) -> Result<(), PortalError> {
        let Self::Listed(all) = self else { return Ok(()) };
        let mut names = HashSet::new();
        for Initiator { name, chap, mutual } in all {
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(PortalError::DuplicateInitiator(name.clone()));
            }
            let Some(mutual) = mutual else { continue };
            if chap.is_none() {
                return Err(PortalError::MutualAlone(name.clone()));
            }
            // Everyone who knows it to check the portal could log in as the other. [RFC 7143 9.2.1]
            let own = all.iter().find(|other| other.chap.as_ref().is_some_and(|chap| chap.secret == mutual.secret));
            if let Some(own) = own {
                return Err(PortalError::SameSecret { mutual: name.clone(), own: own.name.clone() });
            }
        }
        Ok(())
    }
}
