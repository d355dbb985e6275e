//! A gateway that has lost its state: before a library is begun, the tier is asked whether it knows one of this name.
//!
//! A second library under the same name would be shipped nowhere, and would be in the way of the first one's recovery. A
//! tier that does not answer now is asked again before anything is shipped.

use std::time::Duration;

use capstan_mover::{GatewayFound, Patience, Remains};
use capstan_tier::RetryPolicy;
use tracing::debug;

use super::tiers;
use crate::config::Config;
use crate::failure::{Exit, Failure};

/// How long a tier may keep the first start waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses to begin a library where the tier has one of this name.
///
/// # Errors
/// It has.
pub(super) async fn refuse(config: &Config) -> Result<(), Failure> {
    let state_dir = &config.gateway.state_dir;
    let is_begun = ["catalog.redb", "library.state.0", "library.state.1", "recovering"];
    let has_cartridges = config.buffer_path().join("tapes").exists();
    if has_cartridges || is_begun.iter().any(|name| state_dir.join(name).exists()) {
        return Ok(());
    }
    let Some(found) = find(config).await else { return Ok(()) };
    Err(Failure::new(Exit::Refused, "no library is begun here")
        .why(format!(
            "gateway {:?} has used tier {} before, as {}, and there is no library in {}: its state is lost",
            found.name,
            config.tier().name,
            found.id,
            state_dir.display()
        ))
        .next(
            "`capstan recover --from tier` brings its library back, with the --state or --config of `serve`; or give this \
             gateway another name ([gateway] name)",
        ))
}

async fn find(config: &Config) -> Option<GatewayFound> {
    // A directory that is not there has no gateways, and would be waited for.
    if config.tier().directory().is_some_and(|root| !root.exists()) {
        return None;
    }
    let opened = match tokio::time::timeout(PATIENCE, tiers::reach(&config.tier(), &config.buffer_path(), false)).await
    {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            debug!(%error, "the tier is not asked for a gateway of this name yet");
            return None;
        }
        Err(_) => return None,
    };
    let policy = RetryPolicy { budget: PATIENCE, ..RetryPolicy::default() };
    let patience = Patience { shipping: policy, recall: policy, answer: PATIENCE };
    let asked = tokio::task::spawn_blocking(move || {
        Remains::new(opened.tier, opened.names, None, false, patience).and_then(|remains| remains.gateways())
    });
    let gateways = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    let gateways =
        gateways.inspect_err(|error| debug!(%error, "the tier does not say which gateways there are")).ok()?;
    gateways.into_iter().find(|gateway| gateway.name == config.gateway.name)
}
