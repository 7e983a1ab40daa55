//! Whether Redis is fit to keep the jobs, as the start of the service takes it.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::{
    config::{self, Settings},
    error_chain::error_chain,
    redis_client::{
        Client, Error,
        server::{Concern, Fitness, NoPlaceForMirrors, Weight, examine},
    },
};

/// The interval at which a Redis is asked that did not answer at the start.
const INTERVAL: Duration = Duration::from_secs(10);

/// A Redis that must not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("{server} cannot keep the jobs: {problem}; {remedy}")]
    Jobs { server: String, problem: String, remedy: &'static str },
    #[error(transparent)]
    Mirrors(#[from] NoPlaceForMirrors),
}

/// Asks Redis what it is, and warns of what speaks against it. Returns whether it answered; `true` if there is none.
///
/// # Errors
/// When it must not be used.
pub(super) async fn is_known(settings: &Settings) -> Result<bool, Unfit> {
    if settings.queue.url.is_empty() {
        return Ok(true);
    }
    match ask(&settings.queue).await {
        Ok(fitness) => {
            let mirrors = if settings.irr.source.is_empty() { Ok(()) } else { fitness.keeps_mirrors() };
            mirrors?;
            judged(fitness).map(|()| true)
        }
        Err(error) => {
            debug!(error = %error_chain(&error), "Redis does not say what it is");
            Ok(false)
        }
    }
}

/// Asks a Redis that did not answer at the start until it does. Returns when it must not be used, or with `stop`.
pub(super) async fn unfit_later(settings: Arc<Settings>, stop: CancellationToken) {
    ask_until_known(|| is_known(&settings), &stop).await;
}

async fn ask_until_known<F>(is_known: impl Fn() -> F, stop: &CancellationToken)
where
    F: Future<Output = Result<bool, Unfit>>,
{
    let unfit = async {
        loop {
            sleep(INTERVAL).await;
            match is_known().await {
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
    let Fitness { server, concerns, .. } = fitness;
    for Concern { weight, problem, remedy } in concerns {
        match weight {
            Weight::Unfit => return Err(Unfit::Jobs { server, problem, remedy }),
            Weight::Risk | Weight::Unread => warn!("{problem}; {remedy}"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn unfit() -> Unfit {
        Unfit::Jobs { server: "Redis 7".to_owned(), problem: "it throws jobs away".to_owned(), remedy: "use another" }
    }

    #[tokio::test(start_paused = true)]
    async fn a_redis_that_answers_late_is_refused_late() {
        let (asked, stop) = (Cell::new(0), CancellationToken::new());
        let answers_at_last = || {
            asked.set(asked.get() + 1);
            std::future::ready(if asked.get() < 4 { Ok(false) } else { Err(unfit()) })
        };
        ask_until_known(answers_at_last, &stop).await;
        assert_eq!(asked.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_suits_is_asked_once_and_nothing_ends() {
        let (asked, stop) = (Cell::new(0), CancellationToken::new());
        let suits = || {
            asked.set(asked.get() + 1);
            std::future::ready(Ok(true))
        };
        let asking = ask_until_known(suits, &stop);
        assert!(tokio::time::timeout(INTERVAL * 10, asking).await.is_err(), "it waits for the end of the service");
        assert_eq!(asked.get(), 1);
        stop.cancel();
        ask_until_known(suits, &stop).await;
    }
}
