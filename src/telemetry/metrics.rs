//! Figures for Prometheus, all in one place.
//!
//! A new one is a field of [`Metrics`], registered in [`Metrics::default`] with its help text. Names begin with
//! `rir_sidecar_` and end in their unit; labels have few values, known beforehand.

use std::{collections::BTreeMap, fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the buckets of latencies, in seconds.
const LATENCIES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// All figures.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    webhooks: Family<Result, Counter>,
    jobs: Family<State, Gauge>,
    oldest_ready: Gauge<f64, AtomicU64>,
    queue_up: Gauge,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    /// It led to jobs.
    Queued,
    /// Nothing follows from it.
    Ignored,
    /// Its signature is missing or wrong.
    Unsigned,
    /// It is not what NetBox sends.
    Malformed,
    /// The queue did not take it.
    Unavailable,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Result {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("rir_sidecar"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            webhooks: Family::default(),
            jobs: Family::default(),
            oldest_ready: Gauge::default(),
            queue_up: Gauge::default(),
        };
        let Self { registry, requests, latency, webhooks, jobs, oldest_ready, queue_up } = &mut metrics;
        registry.register("http_requests", "HTTP requests answered", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's arrival to the head of its answer",
            latency.clone(),
        );
        registry.register("webhooks", "Webhooks from NetBox by what became of them", webhooks.clone());
        registry.register("queue_jobs", "Jobs in the queue by state, those that are over left out", jobs.clone());
        registry.register(
            "queue_oldest_ready_seconds",
            "How long the oldest job that could run has been waiting for a worker",
            oldest_ready.clone(),
        );
        registry.register("queue_up", "Whether the queue answered when these figures were asked for", queue_up.clone());
        metrics
    }
}

impl Metrics {
    /// Counts an HTTP request that was answered.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        self.requests.get_or_create(&Answered { method: method.clone(), route: route.clone(), status }).inc();
        self.latency.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }

    /// Counts a webhook.
    pub fn webhook(&self, result: Webhook) {
        let result = match result {
            Webhook::Queued => "queued",
            Webhook::Ignored => "ignored",
            Webhook::Unsigned => "unsigned",
            Webhook::Malformed => "malformed",
            Webhook::Unavailable => "unavailable",
        };
        self.webhooks.get_or_create(&Result { result }).inc();
    }

    /// Notes how the queue is: jobs by state, and how long the oldest ready one has waited; `None` when it does not say.
    pub fn queue(&self, figures: Option<(BTreeMap<&'static str, u64>, Duration)>) {
        self.queue_up.set(i64::from(figures.is_some()));
        let Some((jobs, oldest)) = figures else { return };
        for (state, count) in jobs {
            self.jobs.get_or_create(&State { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.oldest_ready.set(oldest.as_secs_f64());
    }

    /// All figures in the text form that Prometheus reads.
    ///
    /// # Errors
    /// When they cannot be written, for which there is no known reason.
    pub fn text(&self) -> std::result::Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}
