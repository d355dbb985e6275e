//! One side of a text negotiation.

use super::value::{boolean, list, number, yes_no};
use super::{
    DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH, Digest, DigestPolicy, IRRELEVANT, Key, NOT_UNDERSTOOD, Parameters, REJECT,
    Rule, Wishes,
};

/// What the other side may not say.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NegotiationError {
    /// A key for the second time. [RFC 7143 6.2]
    #[error("{0:?} more than once")]
    Repeated(Key),
    /// An answer that does not follow from the offer, or a refusal of what this side needs.
    #[error("{key:?} answered with {value:?}")]
    Answer {
        /// The key.
        key: Key,
        /// The answer, cut to 64 bytes.
        value: String,
    },
}

/// Remembers what was offered and said, and what holds now.
#[derive(Clone, Debug)]
pub struct Negotiation {
    discovery: bool,
    wishes: Wishes,
    agreed: Parameters,
    peer_max_recv_data_segment_length: u32,
    declared: bool,
    offered: Keys,
    received: Keys,
}

/// A set of keys.
#[derive(Clone, Copy, Default, Debug)]
struct Keys(u32);

impl Keys {
    /// Adds a key; false if it was there.
    fn insert(&mut self, key: Key) -> bool {
        let bit = Self::bit(key);
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    fn contains(self, key: Key) -> bool {
        self.0 & Self::bit(key) != 0
    }

    fn bit(key: Key) -> u32 {
        Key::ALL.iter().position(|each| *each == key).map_or(0, |at| 1 << at)
    }
}

impl Negotiation {
    /// Nothing said yet. `discovery`: the session is one for discovery.
    #[must_use]
    pub fn new(wishes: Wishes, discovery: bool) -> Self {
        Self {
            discovery,
            wishes,
            agreed: Parameters::default(),
            peer_max_recv_data_segment_length: DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH,
            declared: false,
            offered: Keys::default(),
            received: Keys::default(),
        }
    }

    /// What holds now: answered offers, the RFC's defaults for the rest.
    #[must_use]
    pub fn agreed(&self) -> &Parameters {
        &self.agreed
    }

    /// Longest data segment that the other side takes, bytes.
    #[must_use]
    pub fn peer_max_recv_data_segment_length(&self) -> u32 {
        self.peer_max_recv_data_segment_length
    }

    /// Longest data segment that this side takes in the full feature phase, bytes: the wish once it was declared.
    #[must_use]
    pub fn own_max_recv_data_segment_length(&self) -> u32 {
        if self.declared { self.wishes.max_recv_data_segment_length } else { DEFAULT_MAX_RECV_DATA_SEGMENT_LENGTH }
    }

    /// A digest that this side requires and that was not agreed on: a refusal, or silence, leaves None in force. A
    /// login must not end well with one.
    #[must_use]
    pub fn unmet(&self) -> Option<Key> {
        let digests = [(Key::HeaderDigest, self.agreed.header_digest), (Key::DataDigest, self.agreed.data_digest)];
        let unmet = |key, digest| self.policy(key).is_some_and(|policy| !policy.accepts(digest));
        digests.into_iter().find(|(key, digest)| unmet(*key, *digest)).map(|(key, _)| key)
    }

    /// This side's MaxRecvDataSegmentLength as a pair to send, once.
    pub fn declare(&mut self) -> Option<(&'static str, String)> {
        let first = !std::mem::replace(&mut self.declared, true);
        first.then(|| (Key::MaxRecvDataSegmentLength.name(), self.wishes.max_recv_data_segment_length.to_string()))
    }

    /// The pairs that an initiator offers: what it declares, and all that means something in this session.
    pub fn offers(&mut self) -> Vec<(&'static str, String)> {
        let mut pairs: Vec<_> = self.declare().into_iter().collect();
        let discovery = self.discovery;
        for key in Key::ALL.iter().copied().filter(|key| !discovery || key.in_discovery()) {
            if let Some(value) = self.wish(key)
                && self.offered.insert(key)
            {
                pairs.push((key.name(), value));
            }
        }
        pairs
    }

    /// Takes a pair from the other side; the answer to send, if the rule wants one.
    ///
    /// An answer to an own offer takes effect, an offer is answered, an unknown key is not understood. Keys that
    /// identify or authenticate are not for here.
    ///
    /// # Errors
    /// A repeated key, or an answer that cannot be.
    pub fn receive(&mut self, name: &str, value: &str) -> Result<Option<String>, NegotiationError> {
        let Some(key) = Key::of(name) else {
            let refusal = [NOT_UNDERSTOOD, IRRELEVANT, REJECT].contains(&value);
            return Ok((!refusal).then(|| NOT_UNDERSTOOD.to_owned()));
        };
        if !self.received.insert(key) {
            return Err(NegotiationError::Repeated(key));
        }
        if self.offered.contains(key) {
            return self.accept(key, value).map(|()| None);
        }
        if self.discovery && !key.in_discovery() {
            return Ok(Some(IRRELEVANT.to_owned()));
        }
        Ok(self.respond(key, value))
    }

    /// The answer to an offer, applying it.
    fn respond(&mut self, key: Key, value: &str) -> Option<String> {
        let answer = match key.rule() {
            Rule::List => self.choose(key, value),
            Rule::And | Rule::Or => boolean(value).and_then(|value| self.combine_boolean(key, value)).map(yes_no_owned),
            Rule::Minimum(range) | Rule::Maximum(range) => number(value)
                .filter(|value| range.contains(value))
                .and_then(|value| self.combine_number(key, value))
                .map(|value| value.to_string()),
            Rule::Declare(range) => match number(value).filter(|value| range.contains(value)) {
                Some(value) => {
                    self.peer_max_recv_data_segment_length = value;
                    return None;
                }
                None => None,
            },
            Rule::Obsolete(answer) => Some(answer.to_owned()),
        };
        Some(answer.unwrap_or_else(|| REJECT.to_owned()))
    }

    fn choose(&mut self, key: Key, value: &str) -> Option<String> {
        if key == Key::TaskReporting {
            return list(value).find(|each| *each == "RFC3720").map(str::to_owned);
        }
        let policy = self.policy(key)?;
        let mut offered = list(value).filter_map(Digest::of).filter(|digest| policy.accepts(*digest));
        let first = offered.next()?;
        let chosen = match policy {
            DigestPolicy::Prefer => offered.find(|digest| *digest == Digest::Crc32c).unwrap_or(first),
            _ => first,
        };
        self.set_digest(key, chosen);
        Some(chosen.name().to_owned())
    }

    fn combine_boolean(&mut self, key: Key, theirs: bool) -> Option<bool> {
        let ours = *self.wishes.parameters.boolean(key)?;
        let agreed = if key.rule() == Rule::And { ours && theirs } else { ours || theirs };
        *self.agreed.boolean(key)? = agreed;
        Some(agreed)
    }

    fn combine_number(&mut self, key: Key, theirs: u32) -> Option<u32> {
        let ours = *self.wishes.parameters.number(key)?;
        let agreed = if matches!(key.rule(), Rule::Maximum(_)) { ours.max(theirs) } else { ours.min(theirs) };
        *self.agreed.number(key)? = agreed;
        Some(agreed)
    }

    /// Applies the answer to an own offer.
    fn accept(&mut self, key: Key, value: &str) -> Result<(), NegotiationError> {
        let fits = match key.rule() {
            // A refused list or number leaves the default in force, which must be acceptable too.
            _ if [NOT_UNDERSTOOD, IRRELEVANT, REJECT].contains(&value) => self.default_will_do(key),
            Rule::List => match (Digest::of(value), self.policy(key)) {
                (Some(digest), Some(policy)) if policy.accepts(digest) => {
                    self.set_digest(key, digest);
                    true
                }
                _ => false,
            },
            Rule::And | Rule::Or => boolean(value).is_some_and(|value| self.combine_boolean(key, value) == Some(value)),
            Rule::Minimum(range) | Rule::Maximum(range) => number(value)
                .filter(|value| range.contains(value))
                .is_some_and(|value| self.combine_number(key, value) == Some(value)),
            Rule::Declare(_) | Rule::Obsolete(_) => false,
        };
        if fits { Ok(()) } else { Err(NegotiationError::Answer { key, value: value.chars().take(64).collect() }) }
    }

    fn default_will_do(&self, key: Key) -> bool {
        self.policy(key).is_none_or(|policy| policy.accepts(Digest::None))
    }

    /// What holds for a digest here. Discovery does without one that is required: no data of a device travels there,
    /// and open-iscsi cannot be told to offer any.
    fn policy(&self, key: Key) -> Option<DigestPolicy> {
        let policy = match key {
            Key::HeaderDigest => self.wishes.header_digest,
            Key::DataDigest => self.wishes.data_digest,
            _ => return None,
        };
        let required_in_vain = self.discovery && policy == DigestPolicy::Require;
        Some(if required_in_vain { DigestPolicy::Prefer } else { policy })
    }

    fn set_digest(&mut self, key: Key, digest: Digest) {
        match key {
            Key::HeaderDigest => self.agreed.header_digest = digest,
            Key::DataDigest => self.agreed.data_digest = digest,
            _ => {}
        }
    }

    /// The offer for `key`; none where the default is what every RFC 7143 target has anyway.
    fn wish(&mut self, key: Key) -> Option<String> {
        if let Some(policy) = self.policy(key) {
            return Some(policy.offer().to_owned());
        }
        if key == Key::ISCSIProtocolLevel {
            return None;
        }
        let parameters = &mut self.wishes.parameters;
        match parameters.number(key) {
            Some(number) => Some(number.to_string()),
            None => parameters.boolean(key).map(|value| yes_no_owned(*value)),
        }
    }
}

fn yes_no_owned(value: bool) -> String {
    yes_no(value).to_owned()
}
