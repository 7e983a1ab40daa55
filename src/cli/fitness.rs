//! Whether Redis is fit to keep the jobs, as the start of the service takes it.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{
    config,
    error_chain::error_chain,
    redis_client::{
        Client, Error,
        server::{Concern, Fitness, Weight, examine},
    },
};

/// The interval at which a Redis is asked that did not answer at the start.
const INTERVAL: Duration = Duration::from_secs(10);

/// A Redis that must not be used.
#[derive(Debug, thiserror::Error)]
#[error("{server} cannot keep the jobs: {problem}; {remedy}")]
pub(super) struct Unfit {
    server: String,
    problem: String,
    remedy: &'static str,
}

/// Asks Redis what it is, and warns of what speaks against it. Returns whether it answered; `true` if there is none.
///
/// # Errors
/// When it must not be used.
pub(super) async fn is_known(settings: &config::Queue) -> Result<bool, Unfit> {
    if settings.url.is_empty() {
        return Ok(true);
    }
    match ask(settings).await {
        Ok(fitness) => judged(fitness).map(|()| true),
        Err(error) => {
            debug!(error = %error_chain(&error), "Redis does not say what it is");
            Ok(false)
        }
    }
}

/// Asks a Redis that did not answer at the start until it does. Returns when it must not be used, or with `stop`.
pub(super) async fn unfit_later(settings: config::Queue, stop: CancellationToken) {
    let unfit = async {
        loop {
            sleep(INTERVAL).await;
            match is_known(&settings).await {
                Ok(true) => std::future::pending().await,
                Ok(false) => {}
                Err(unfit) => return unfit,
            }
        }
    };
    if let Some(unfit) = stop.run_until_cancelled(unfit).await {
        error!("{unfit}");
    }
}

async fn ask(settings: &config::Queue) -> Result<Fitness, Error> {
    examine(&Client::open(settings)?).await
}

fn judged(fitness: Fitness) -> Result<(), Unfit> {
    let Fitness { server, concerns } = fitness;
    for Concern { weight, problem, remedy } in concerns {
        match weight {
            Weight::Unfit => return Err(Unfit { server, problem, remedy }),
            Weight::Risk | Weight::Unread => warn!("{problem}; {remedy}"),
        }
    }
    Ok(())
}
