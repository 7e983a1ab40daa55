//! Log output: where it goes and in which form; and figures ([`metrics`]).

pub mod metrics;

use std::io;

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, prelude::*};

use crate::config::{LogFormat, Telemetry};

/// Sends log lines to standard error, in the form and from the level that the settings name; `default` is the level when
/// they name none.
///
/// # Errors
/// When `telemetry.log` is no list of directives.
pub fn start(settings: &Telemetry, default: &str) -> Result<(), ParseError> {
    let directives = if settings.log.is_empty() { default } else { &settings.log };
    let filter = EnvFilter::builder().parse(directives)?;
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    // A second start, as in a test, leaves the first in place.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
    Ok(())
}
