//! Whether changes at the registry can be asked for, approved and sent.

use super::trial::Trials;
use crate::config::{Requests, keys::Keyring};

const WHAT: &str = "change requests";

/// Tells whether they are switched on, and whether there is somebody who can approve one.
pub(super) fn are_set_up(settings: &Requests, keys: Option<&Keyring>, trials: &mut Trials) {
    if !settings.enabled {
        return trials.ok(WHAT, "requests.enabled is false, so that nothing is ever changed at ARIN");
    }
    if settings.self_approval {
        let remedy = "set requests.self_approval to false where several people have API keys";
        return trials.note(WHAT, "whoever asks for a change at ARIN may approve it, too", remedy);
    }
    let alone = |config: &str| keys.is_some_and(|keys| keys.of(config).count() == 1);
    let mut configs: Vec<&str> = keys.into_iter().flat_map(Keyring::configs).filter(|config| alone(config)).collect();
    configs.dedup();
    if configs.is_empty() {
        return trials.ok(WHAT, "somebody asks for a change at ARIN, and somebody else approves it");
    }
    let problem =
        format!("only one person has an API key for {}, and cannot approve what they ask for", configs.join(", "));
    trials.note(WHAT, problem, "add a [[key]] table for a second person to the keys file");
}
