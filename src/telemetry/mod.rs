//! The telemetry of the process: log lines, traces ([`traces`]) and metrics ([`metrics`]).
//!
//! Spans nest `webhook > job > sync > arin.request | netbox.request`. The ids of job and run are fields of the spans,
//! and so stand on every line that is logged inside.

pub mod metrics;
mod redact;
pub mod traces;

use std::io;

use opentelemetry_otlp::ExporterBuildError;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::ParseError, fmt, prelude::*};

use crate::config::{LogFormat, Telemetry as Settings};
use redact::Redact;
use traces::Traces;

/// The telemetry that was started. Ending it sends what is still waiting.
#[derive(Debug)]
#[must_use]
pub struct Telemetry(Option<Traces>);

/// Telemetry settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `telemetry.log` is no list of directives.
    #[error("telemetry.log cannot be used; write a level such as `info`, or `warn,rir_sidecar=debug`")]
    Log(#[from] ParseError),
    /// No client for the collector can be made.
    #[error("cannot send traces to telemetry.otlp_endpoint")]
    Traces(#[from] ExporterBuildError),
}

/// Sends log lines to standard error, without mail addresses and telephone numbers, in the form and from the level that
/// the settings name; `default` is the level when they name none. Sends traces where the settings name a collector.
///
/// # Errors
/// When the settings cannot be used.
pub fn start(settings: &Settings, default: &str) -> Result<Telemetry, StartError> {
    let directives = if settings.log.is_empty() { default } else { &settings.log };
    let filter = EnvFilter::builder().parse(directives)?;
    let mut layers = vec![lines(settings.log_format).with_filter(filter).boxed()];
    let traces = Traces::start(settings)?;
    layers.extend(traces.as_ref().map(|traces| traces.layer().boxed()));
    // A second start, as in a test, leaves the first in place.
    drop(tracing_subscriber::registry().with(layers).try_init());
    Ok(Telemetry(traces))
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(|| Redact(io::stderr()));
    match format {
        LogFormat::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    }
}

impl Telemetry {
    /// Sends the traces that are still waiting, if that does not take long.
    pub async fn end(self) {
        if let Some(traces) = self.0 {
            traces.end().await;
        }
    }
}
