//! Traces: sent over OTLP/HTTP where `telemetry.otlp_endpoint` names a collector, and carried on in W3C trace contexts.
//!
//! Spans of this crate are sent, down to the level DEBUG; log lines are not. Spans wait in a bounded queue: when the
//! collector is away they are dropped, and nothing waits for it. Without a collector nothing of this is set up, and
//! [`current`] returns nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use opentelemetry::{Context, propagation::TextMapPropagator, trace::TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Span, info, level_filters::LevelFilter, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use crate::{
    config::{self, Proxy, Secret},
    error_chain::error_chain,
    http_client,
    tls::Trust,
};

/// The name of the service in traces.
const SERVICE: &str = "rir-sidecar";
/// Limits how long the collector may take for one batch.
const BATCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Limits how long the last batches may take when the process ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);
/// The header that carries a trace context.
pub const TRACEPARENT: &str = "traceparent";

/// Sends spans until it is ended.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send spans to the collector, if the settings name one: all of a trace that was begun elsewhere and is
    /// sampled there, and a share of those that begin here.
    pub(super) fn start(settings: &config::Telemetry) -> Result<Option<Self>, ExporterBuildError> {
        let Some(collector) = &settings.otlp_endpoint else { return Ok(None) };
        let url = format!("{}/v1/traces", collector.to_string().trim_end_matches('/'));
        let trust = Trust::of(None, collector.as_url().scheme() == "https");
        let client = Collector::new(trust, settings.otlp_authorization.clone())?;
        let exporter = SpanExporter::builder().with_http().with_http_client(client).with_endpoint(url).build()?;
        let resource = Resource::builder()
            .with_service_name(SERVICE)
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.trace_share)));
        Ok(Some(Self(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_sampler(sampler)
                .with_resource(resource)
                .build(),
        )))
    }

    /// Returns the layer that takes the spans up.
    pub(super) fn layer<S: tracing::Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let ours = |about: &Metadata<'_>| {
            about.is_span() && about.target().starts_with("rir_sidecar") && *about.level() <= Level::DEBUG
        };
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(FilterFn::new(ours).with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends the spans that are left, if that does not take long.
    pub(super) async fn end(self) {
        let sent = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(SHUTDOWN_TIMEOUT)).await;
        if !matches!(sent, Ok(Ok(()))) {
            warn!("the last traces were not sent");
        }
    }
}

/// Returns the W3C trace context of the current span; `None` where traces are not sent.
#[must_use]
pub fn current() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Returns a trace context as this program writes it; `None` for a text that is none.
#[must_use]
pub fn checked(traceparent: &str) -> Option<String> {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let propagator = TraceContextPropagator::new();
    let mut written = HashMap::new();
    propagator.inject_context(&propagator.extract_with_context(&Context::new(), &carrier), &mut written);
    // The propagator fills short ids up with zeros, which makes the text longer.
    written.remove(TRACEPARENT).filter(|written| written.len() == traceparent.len())
}

/// Makes a span, which must not have been entered yet, part of the trace that this W3C trace context names.
pub fn carry_on(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    // It fails where traces are not sent.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}

/// Sends batches to the collector. They come from a thread of its own, outside the runtime that HTTP needs.
#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    /// What goes along as `Authorization`, if there is anything.
    authorization: Secret,
    runtime: Handle,
    /// True if the last batch was taken, so that trouble is logged once.
    working: Arc<AtomicBool>,
}

impl Collector {
    fn new(trust: Trust<'_>, authorization: Secret) -> Result<Self, ExporterBuildError> {
        let http = http_client::build(trust, &Proxy::None, |builder| builder.timeout(BATCH_TIMEOUT))
            .map_err(|error| ExporterBuildError::InternalFailure(error_chain(&error)))?;
        Ok(Self { http, authorization, runtime: Handle::current(), working: Arc::new(AtomicBool::new(true)) })
    }
}

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(&'a self, mut request: Request<Bytes>) -> BoxFuture<'b, Result<Response<Bytes>, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        let (http, working) = (self.http.clone(), Arc::clone(&self.working));
        if let Some(authorization) = authorization(&self.authorization) {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let exchange = async move {
            let answer = exchange(http, request).await;
            log_change(&answer, &working);
            answer
        };
        let exchange = self.runtime.spawn(exchange);
        Box::pin(async move { exchange.await? })
    }
}

/// Returns the header for a secret, if there is one; what cannot be sent the collector will miss and say so.
fn authorization(secret: &Secret) -> Option<HeaderValue> {
    let mut value =
        HeaderValue::from_str(secret.now().expose_secret().trim()).ok().filter(|value| !value.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

async fn exchange(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let answer = http.execute(request.try_into()?).await?.error_for_status()?;
    let status = answer.status();
    let mut whole = Response::new(answer.bytes().await?);
    *whole.status_mut() = status;
    Ok(whole)
}

fn log_change(answer: &Result<Response<Bytes>, HttpError>, working: &AtomicBool) {
    let worked = working.swap(answer.is_ok(), Ordering::Relaxed);
    match answer {
        Err(error) if worked => {
            let error: &dyn std::error::Error = &**error;
            warn!(error, "the collector of traces does not take them; they are dropped until it does");
        }
        Ok(_) if !worked => info!("the collector of traces takes them again"),
        Ok(_) | Err(_) => {}
    }
}
