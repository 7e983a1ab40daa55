//! The state that all handlers share.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use tokio_util::sync::CancellationToken;

use super::{
    auth::{call_limit::CallLimit, users::Users, webhook_signature::WebhookSecrets},
    bodies::BodyBudget,
    event_streams::EventStreams,
};
use crate::services::Services;

/// Limits how long an answer of NetBox's counts as its state.
const NETBOX_STATE_TTL: Duration = Duration::from_secs(5);

/// The state of the HTTP interface.
pub(super) struct App {
    pub(super) services: Services,
    pub(super) users: Users,
    pub(super) call_limit: CallLimit,
    pub(super) webhook_secrets: WebhookSecrets,
    /// For bodies of which nobody knows yet whether NetBox sent them.
    pub(super) unverified_bodies: BodyBudget,
    /// For bodies of callers who are known.
    pub(super) callers_bodies: BodyBudget,
    pub(super) event_streams: EventStreams,
    /// True if NetBox answered lately. Requests that ask for it at once share one question to NetBox.
    pub(super) netbox_answers: Cache<(), bool>,
    /// Cancelled when the service goes away.
    pub(super) stop: CancellationToken,
}

impl App {
    /// Makes the state, in which no caller is known yet.
    pub(super) fn new(services: Services, stop: CancellationToken) -> Arc<Self> {
        let http = &services.settings.http;
        let bodies = || BodyBudget::new(http.max_bodies_bytes, http.max_body_bytes);
        Arc::new(Self {
            users: Users::new(http, services.netbox.clone()),
            call_limit: CallLimit::new(http),
            unverified_bodies: bodies(),
            callers_bodies: bodies(),
            event_streams: EventStreams::new(http.max_connections),
            webhook_secrets: WebhookSecrets::new(&services.settings.webhook),
            netbox_answers: Cache::builder().time_to_live(NETBOX_STATE_TTL).build(),
            services,
            stop,
        })
    }

    /// Returns whether a user has an API key for an RIR config.
    pub(super) fn has_key(&self, config: &str, user: &str) -> bool {
        self.services.keys.borrow().choose(config, Some(user), None).is_ok()
    }
}
