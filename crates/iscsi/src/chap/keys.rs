//! The keys of one message.

use super::binary::decode;
use super::{CHALLENGE_MAX, Challenge, ChapError, NAME_MAX, name};
use crate::text::number;

/// Values of the keys of one message, each at most once.
#[derive(Clone, Default, Debug)]
pub(super) struct Keys {
    pub(super) algorithm: Option<String>,
    identifier: Option<String>,
    challenge: Option<String>,
    name: Option<String>,
    response: Option<String>,
}

impl Keys {
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<(), ChapError> {
        let (place, key) = match key {
            name::ALGORITHM => (&mut self.algorithm, name::ALGORITHM),
            name::IDENTIFIER => (&mut self.identifier, name::IDENTIFIER),
            name::CHALLENGE => (&mut self.challenge, name::CHALLENGE),
            name::NAME => (&mut self.name, name::NAME),
            name::RESPONSE => (&mut self.response, name::RESPONSE),
            _ => return Err(ChapError::Unexpected("an unknown CHAP key")),
        };
        match place.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(ChapError::Unexpected(key)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// Nothing is left that nobody looked at.
    pub(super) fn finish(self) -> Result<(), ChapError> {
        self.first().map_or(Ok(()), |key| Err(ChapError::Unexpected(key)))
    }

    fn first(&self) -> Option<&'static str> {
        let all = [
            (name::ALGORITHM, &self.algorithm),
            (name::IDENTIFIER, &self.identifier),
            (name::CHALLENGE, &self.challenge),
            (name::NAME, &self.name),
            (name::RESPONSE, &self.response),
        ];
        all.into_iter().find(|(_, value)| value.is_some()).map(|(key, _)| key)
    }

    /// The other side's challenge, which comes whole or not at all.
    pub(super) fn challenge(&mut self) -> Result<Option<Challenge>, ChapError> {
        let (identifier, challenge) = match (self.identifier.take(), self.challenge.take()) {
            (None, None) => return Ok(None),
            (Some(identifier), Some(challenge)) => (identifier, challenge),
            (None, Some(_)) => return Err(ChapError::Missing(name::IDENTIFIER)),
            (Some(_), None) => return Err(ChapError::Missing(name::CHALLENGE)),
        };
        let identifier = number(&identifier).and_then(|number| u8::try_from(number).ok());
        let identifier = identifier.ok_or(ChapError::Malformed(name::IDENTIFIER))?;
        let bytes = decode(&challenge, CHALLENGE_MAX).filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or(ChapError::Malformed(name::CHALLENGE))?;
        Ok(Some(Challenge { identifier, bytes }))
    }

    /// The other side's name and its answer.
    pub(super) fn proof(&mut self) -> Result<(String, Vec<u8>), ChapError> {
        let name = self.name.take().ok_or(ChapError::Missing(name::NAME))?;
        let response = self.response.take().ok_or(ChapError::Missing(name::RESPONSE))?;
        if name.is_empty() || name.len() > NAME_MAX {
            return Err(ChapError::Malformed(name::NAME));
        }
        let response = decode(&response, CHALLENGE_MAX).filter(|bytes| !bytes.is_empty());
        Ok((name, response.ok_or(ChapError::Malformed(name::RESPONSE))?))
    }
}

/// A challenge as pairs.
pub(super) fn ask(challenge: &Challenge) -> [(&'static str, String); 2] {
    [(name::IDENTIFIER, challenge.identifier.to_string()), (name::CHALLENGE, super::binary::encode(&challenge.bytes))]
}
