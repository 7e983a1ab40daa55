//! Fuzz target: whatever body a webhook has makes orders, or a short reason why not.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::{LONGEST_NAME, check_age, read};
use crate::{
    config,
    fuzzing::Corpus,
    intake::{self, Following},
    queue::{Job, Trigger},
};

/// The longest reason for a refusal, in characters.
const LONGEST_REASON: usize = 301;
/// The longest that a key grows beyond the name of who asked.
const LONGEST_KEY: usize = 100;

#[test]
fn a_webhook_makes_orders_or_a_reason() {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let settings = settings();
    Corpus::new(seeds())
        .words(&["null", "\"\\u0000\"", "{}", "[]", "\"ipam.prefix\"", "\"updated\"", "true", "[[[["])
        .run(|body| {
            let (change, made) = match read(body) {
                Ok(read) => read,
                Err(problem) => return check_reason(problem.detail()),
            };
            for now in [now, Timestamp::MIN, Timestamp::MAX] {
                if let Err(problem) = check_age(made, now) {
                    check_reason(problem.detail());
                }
            }
            assert!(change.key().len() <= LONGEST_NAME);
            let following = Following { webhook: &settings, judges_routing: true };
            let Ok(orders) = intake::orders(&change, Trigger::Webhook, &following) else { return };
            for order in orders {
                let written = serde_json::to_string(&order.job).unwrap();
                assert_eq!(serde_json::from_str::<Job>(&written).unwrap(), order.job);
                assert!(order.job.key().len() <= LONGEST_NAME + LONGEST_KEY);
                assert_eq!(order.job.asked_by(), None, "nobody's API key is used for a change");
            }
        });
}

fn check_reason(reason: &str) {
    assert!(reason.chars().count() <= LONGEST_REASON && !reason.contains(char::is_control), "{reason:?}");
}

fn settings() -> config::Webhook {
    let moment = Duration::from_secs(2);
    config::Webhook {
        secret: "".into(),
        secret_file: None,
        previous_secret: "".into(),
        previous_secret_file: None,
        allow_unsigned: true,
        debounce: moment,
        debounce_longest: moment,
    }
}

fn seeds() -> Vec<String> {
    let of = |object_type: &str, event: &str, url: &str| {
        json!({
            "event": event, "timestamp": "2026-11-22T10:00:00.123456+00:00", "object_type": object_type,
            "request": { "id": "0e5b3f0a-9d2c-4b9e-8a51-0c9a1b2c3d4e", "user": "ann", "method": "PATCH" },
            "data": { "id": 7, "url": url, "display": "192.0.2.0/24", "active_branch": null },
            "snapshots": {
                "prechange": { "prefix": "192.0.2.0/24", "rir": 1, "is_active": true, "last_sync": null },
                "postchange": { "prefix": "192.0.2.0/25", "rir": 1, "is_active": false, "last_sync": "2026-11-22" },
            },
            "context": { "active_branch": null }, "username": "ann", "request_id": "0e5b",
        })
        .to_string()
    };
    vec![
        of("ipam.aggregate", "created", "/api/ipam/aggregates/7/"),
        of("ipam.prefix", "updated", "/api/ipam/prefixes/7/"),
        of("netbox_custom_objects.table2model", "updated", "/api/plugins/custom-objects/rir-config/7/"),
        of("core.job", "deleted", ""),
    ]
}
