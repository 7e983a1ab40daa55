//! What a command that asks ARIN works with, and how it is stopped.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{by_hand::ByHand, exit::AnyError, output, process_name::process_name, signals::asked_to_end};
use crate::{
    config::{Settings, keys::Keyring},
    coordination::Coordination,
    queue::Queue,
    services::Services,
    worker::SharedRateLimit,
};

/// Makes what a command works with. Where the service has a queue, the two keep with it to one limit of requests to ARIN, and
/// syncs take their turn.
pub(super) async fn services(
    settings: Settings,
    stop: &CancellationToken,
) -> Result<(Services, Option<ByHand>), AnyError> {
    let keys = settings.keys.file.as_deref().map(Keyring::load).transpose()?.unwrap_or_default();
    if settings.queue.url.is_empty() {
        return Ok((Services::for_one_process(settings, keys)?, None));
    }
    let name = process_name();
    let shared = (Queue::open(&settings.queue).await?, Coordination::open(&settings.queue).await?);
    let limit = Arc::new(SharedRateLimit::new(shared.1.clone(), &name));
    tokio::spawn(Arc::clone(&limit).register_presence(stop.clone()));
    let services = Services::for_replicas(settings, shared, limit, watch::channel(keys).1)?;
    let by_hand = ByHand::of(&services, &name);
    Ok((services, Some(by_hand)))
}

/// Finishes what is under way when somebody asks to stop; the second time the process ends at once.
pub(super) fn stop_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        while asked_to_end().await {
            if stop.is_cancelled() {
                // What was left half done is repaired by the next run.
                output::err("stopped at once");
                end_process();
            }
            stop.cancel();
            output::err("finishing what is under way; once more to stop at once");
        }
    });
}

#[expect(clippy::exit, reason = "the second request to stop does not wait for anything")]
fn end_process() -> ! {
    std::process::exit(130)
}
