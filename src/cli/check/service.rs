//! What `serve` needs besides NetBox and ARIN: Redis, its address, and the collector of its traces.

use std::{io::ErrorKind, time::Duration};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use secrecy::ExposeSecret;

use super::trial::Trials;
use crate::{
    cli::exit::AnyError,
    config::{self, Proxy, Settings},
    error_chain::error_chain,
    http, http_client,
    queue::{self, Queue},
    redis_client::{
        self,
        server::{Concern, Fitness, Weight, examine},
    },
    tls::Trust,
};

/// Limits how long the collector may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Tells whether Redis takes jobs.
pub(super) async fn queue_answers(settings: &Settings, trials: &mut Trials) {
    let what = "Redis";
    if settings.queue.url.is_empty() {
        let problem = "queue.url is not set: jobs stay in the process, a restart loses them, and there can be only one";
        return trials.note(what, problem, "set queue.url to where Redis is, unless this is a trial");
    }
    match examined(&settings.queue).await {
        Ok(fitness) if !settings.irr.source.is_empty() && fitness.keeps_mirrors().is_err() => {
            let problem =
                format!("{} throws keys away, those of mirrored routing registries among them", fitness.server);
            let remedy = "set `maxmemory-policy noeviction` in Redis, or give rir-sidecar a Redis of its own";
            trials.failed(what, problem, remedy);
        }
        Ok(Fitness { server, concerns, .. }) if concerns.is_empty() => trials.ok(what, format!("{server} takes jobs")),
        Ok(Fitness { server, concerns, .. }) => {
            for Concern { weight, problem, remedy } in concerns {
                let problem = format!("{server}: {problem}");
                match weight {
                    Weight::Unfit => trials.failed(what, problem, remedy),
                    Weight::Risk | Weight::Unread => trials.note(what, problem, remedy),
                }
            }
        }
        Err(error) => trials.failed_of(what, (&error, error.retry()), error.remedy()),
    }
}

/// Asks Redis what it is, and whether it takes jobs if it is fit to.
async fn examined(settings: &config::Queue) -> Result<Fitness, queue::Error> {
    let fitness = examine(&redis_client::Client::open(settings)?).await?;
    if fitness.unfit().next().is_none() {
        Queue::open(settings).await?.ping().await?;
    }
    Ok(fitness)
}

/// Tells whether `serve` could listen on its address.
pub(super) fn address_is_free(settings: &Settings, trials: &mut Trials) {
    let (what, listen) = ("address", settings.http.listen);
    match http::try_to_bind(listen) {
        Ok(()) => trials.ok(what, format!("{listen} can be listened on")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let remedy = "that is well if it is `rir-sidecar serve` or `work`; else set http.listen to another one";
            trials.note(what, format!("somebody listens on {listen} already"), remedy);
        }
        Err(error) => {
            let problem = format!("cannot listen on {listen}: {}", error_chain(&error));
            trials.failed(what, problem, "set http.listen to an address of this machine, and a port from 1024 on");
        }
    }
}

/// Tells whether the collector of traces takes them, by sending none.
pub(super) async fn collector_answers(settings: &Settings, trials: &mut Trials) {
    let Some(collector) = &settings.telemetry.otlp_endpoint else { return };
    let what = "collector of traces";
    let url = format!("{}/v1/traces", collector.to_string().trim_end_matches('/'));
    let authorization = settings.telemetry.otlp_authorization.now();
    let authorization = authorization.expose_secret().trim();
    let asked = async {
        let trust = Trust::of(None, url.starts_with("https:"));
        let http = http_client::build(trust, &Proxy::None, |builder| builder.timeout(ANSWER_TIMEOUT))?;
        let request = http.post(&url).header(CONTENT_TYPE, "application/x-protobuf");
        let request = if authorization.is_empty() { request } else { request.header(AUTHORIZATION, authorization) };
        Ok::<_, AnyError>(request.send().await?.error_for_status()?)
    };
    match asked.await {
        Ok(_) => trials.ok(what, format!("{collector} takes them")),
        Err(error) => {
            let remedy = "check telemetry.otlp_endpoint and otlp_authorization; until then traces are dropped";
            trials.note(what, error_chain(&*error), remedy);
        }
    }
}
