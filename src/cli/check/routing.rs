//! What is needed to judge whether the world will accept what is announced.

use super::trial::Trials;
use crate::netbox::{Client, schema::ORIGIN_ASNS, tenancy::WithCustomFields};

const WHAT: &str = "routing";

/// Tells whether prefixes have the field in which an operator says who announces them.
pub(super) async fn is_set_up(client: &Client, trials: &mut Trials) {
    match client.custom_fields_of(WithCustomFields::Prefixes).await {
        Ok(Some(fields)) if !fields.contains(ORIGIN_ASNS) => {
            let problem = format!(
                "prefixes in NetBox have no field `{ORIGIN_ASNS}`, so that only sites and RIR configs say who announces what"
            );
            trials.note(WHAT, problem, "run `rir-sidecar bootstrap --routing`");
        }
        Ok(Some(_)) => trials.ok(WHAT, format!("prefixes in NetBox have the field `{ORIGIN_ASNS}`")),
        // There is no prefix that tells.
        Ok(None) => {}
        Err(error) => trials.failed_of(WHAT, (&error, error.retry()), "ask again when NetBox answers"),
    }
}
