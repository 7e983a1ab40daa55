//! The command line: what can be asked for, and which exit code an outcome has.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | nothing failed |
//! | 1 | a config failed, or the command could not do its work |
//! | 2 | wrong usage, or settings that cannot be used |
//! | 3 | some objects failed |
//! | 130 | interrupted |

mod bootstrap;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod health;
mod jobs;
#[cfg(feature = "demo")]
mod sandbox;
mod serve;
mod show;
mod signals;
mod sync;
mod watch;

use std::{error::Error, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    arin,
    config::{self, Settings, keys::Keyring},
    error_chain::error_chain,
    http, netbox,
    sync::{Context, Progress},
    telemetry,
};
use tokio_util::sync::CancellationToken;

/// Keeps NetBox in step with what is registered at ARIN.
#[derive(Debug, Parser)]
#[command(name = "rir-sidecar", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// File with settings that differ from the defaults (see `rir-sidecar config`)
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing failed, 1 a config failed, 2 wrong usage or settings, \
                          3 some objects failed, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring NetBox in line with what ARIN has registered
    Sync(sync::Args),
    /// Run the service: HTTP API, webhooks, schedule and workers
    Serve(serve::Args),
    /// Run workers only, next to `serve` processes; over HTTP it tells its health and figures
    Work,
    /// Ask the `serve` or `work` process on this machine how it is: exit code 0 if it is well, else 1
    Health(health::Args),
    /// Look at the queue of the service, and retry or cancel jobs
    Jobs(jobs::Args),
    /// Create or migrate the custom object types in NetBox
    Bootstrap(bootstrap::Args),
    /// Try the settings: NetBox, its plugin, permissions, API keys, ARIN
    Check,
    /// Show it at work on a simulated ARIN and NetBox; nothing else is needed
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Serve a simulated ARIN, and nothing else
    #[cfg(feature = "demo")]
    Sandbox(sandbox::Args),
    /// Print all settings with their defaults and what they mean
    Config,
    /// Print the OpenAPI document of the HTTP API
    Openapi,
}

/// Form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Tables and sentences
    Text,
    /// One JSON document
    Json,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done,
    SomeFailed,
    Failed,
    Misused,
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Misused => Self::from(2),
            Outcome::SomeFailed => Self::from(3),
            Outcome::Interrupted => Self::from(130),
        }
    }
}

/// Runs the command that the process was started with.
pub async fn main() -> ExitCode {
    let Cli { config: file, command } = Cli::parse();
    match command {
        Command::Config => {
            show::out(config::DEFAULTS);
            ExitCode::SUCCESS
        }
        Command::Openapi => {
            show::out(&http::openapi());
            ExitCode::SUCCESS
        }
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args).await.into(),
        #[cfg(feature = "demo")]
        Command::Sandbox(args) => sandbox::run(args).await.into(),
        Command::Health(args) => health::run(args, file.as_deref()).await.into(),
        Command::Sync(args) => with_settings(file, "warn", async |settings| sync::run(args, settings).await).await,
        Command::Serve(args) => with_settings(file, "info", async |settings| serve::serve(args, settings).await).await,
        Command::Work => with_settings(file, "info", serve::work).await,
        Command::Jobs(args) => with_settings(file, "warn", async |settings| jobs::run(args, settings).await).await,
        Command::Bootstrap(args) => {
            with_settings(file, "warn", async |settings| bootstrap::run(args, settings).await).await
        }
        Command::Check => with_settings(file, "warn", check::run).await,
    }
}

async fn with_settings(file: Option<PathBuf>, level: &str, command: impl AsyncFnOnce(Settings) -> Outcome) -> ExitCode {
    let settings = match config::load(file.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, Outcome::Misused).into(),
    };
    let telemetry = match telemetry::start(&settings.telemetry, level) {
        Ok(telemetry) => telemetry,
        Err(error) => return complain(&error, Outcome::Misused).into(),
    };
    let outcome = command(settings).await;
    telemetry.end().await;
    outcome.into()
}

/// Says what went wrong, with its causes.
fn complain(error: &dyn Error, outcome: Outcome) -> Outcome {
    show::err(&format!("error: {}", error_chain(error)));
    outcome
}

/// Makes what a sync works with from the settings.
fn context(settings: Settings, stop: CancellationToken) -> Result<Context, Box<dyn Error + Send + Sync>> {
    let keys = settings.keys.file.as_deref().map(Keyring::load).transpose()?.unwrap_or_default();
    Ok(Context {
        netbox: netbox::Client::new(&settings.netbox)?,
        arin: arin::Pool::new(&settings.arin)?,
        keys,
        settings: Arc::new(settings),
        progress: Progress::default(),
        stop,
        metrics: Arc::default(),
    })
}
