//! Whether a create can be relied upon by several gateways.

use bytes::Bytes;
use tokio::task::JoinSet;

use super::Probe;
use crate::put::Checks;
use capstan_tier::{Body, Created, Tier as _, TierError, TierErrorKind};

/// Creates of one key at once.
const RACERS: usize = 8;
/// Keys that are raced for.
const ROUNDS: usize = 3;
/// Rounds that nobody wins are repeated, but not for ever.
const EMPTY_ROUNDS: usize = 3;

impl Probe<'_> {
    /// Whether a taken key is refused, and whether that also holds in a race.
    pub(super) async fn creates(&mut self) -> Result<(bool, bool), TierError> {
        if !self.refuses_a_taken_key().await? {
            return Ok((false, false));
        }
        let mut round = 0;
        let mut empty = 0;
        while round < ROUNDS {
            match self.race(&format!("race-{round}-{empty}")).await? {
                1 => round += 1,
                0 if empty < EMPTY_ROUNDS => empty += 1,
                winners => {
                    self.note(format!("Of {RACERS} creates of one key at once {winners} succeeded."));
                    return Ok((true, false));
                }
            }
        }
        Ok((true, true))
    }

    async fn refuses_a_taken_key(&mut self) -> Result<bool, TierError> {
        let key = self.key("taken");
        let (first, second) = ([Bytes::from_static(b"first")], [Bytes::from_static(b"second")]);
        for (content, expected) in [(&first, Created::New), (&second, Created::Exists)] {
            let checks =
                Checks::of(content, self.tier.checksum()).await.map_err(|failure| self.error(failure, "taken"))?;
            match self.tier.put_once(&key, content, checks, true).await {
                Ok(created) if created == expected => {}
                Ok(_) => {
                    self.note("The server ignores If-None-Match: a create replaces what is there. Each is preceded by a look now.");
                    return Ok(false);
                }
                Err(failure)
                    if failure.status == 501 || (failure.status == 400 && failure.code != "RequestTimeout") =>
                {
                    self.note(format!(
                        "The server refuses If-None-Match ({} {}). Each create is preceded by a look now.",
                        failure.status, failure.code
                    ));
                    return Ok(false);
                }
                Err(failure) => return Err(self.error(failure, "taken")),
            }
        }
        match self.tier.read(&key, 0..5).await {
            Ok(left) if left.as_ref() == b"first" => return Ok(true),
            Err(error) if error.kind != TierErrorKind::Corrupt => return Err(error),
            _ => {}
        }
        self.note("The server says that a key is taken, and replaces the object all the same.");
        Ok(false)
    }

    /// How many of the racers were told that the object is theirs; what is there has to be a winner's.
    async fn race(&mut self, name: &str) -> Result<usize, TierError> {
        let key = self.key(name);
        let mut racers = JoinSet::new();
        for racer in 0..RACERS {
            let (tier, key) = (self.tier.clone(), key.clone());
            let content = Bytes::from(format!("{racer:04}"));
            racers.spawn(async move { (content.clone(), tier.create(&key, Body::new(vec![content])).await) });
        }
        let mut winners = Vec::new();
        while let Some(finished) = racers.join_next().await {
            let Ok((content, result)) = finished else { continue };
            match result {
                Ok(Created::New) => winners.push(content),
                Ok(Created::Exists) => {}
                Err(error) if error.kind == TierErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        if winners.is_empty() {
            return Ok(0);
        }
        let there = self.tier.read(&key, 0..4).await?;
        if !winners.contains(&there) {
            self.note("After a race the object is none of those who were told that they had created it.");
            return Ok(winners.len().max(2));
        }
        Ok(winners.len())
    }
}
