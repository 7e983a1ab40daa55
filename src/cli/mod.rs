//! The command line: one file for each command.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | nothing failed |
//! | 1 | a config failed, or the command could not do its work |
//! | 2 | wrong usage, settings that cannot be used, or a failure that no retry mends |
//! | 3 | some objects or change requests failed, or a finding is overdue |
//! | 130 | interrupted |

mod bootstrap;
mod by_hand;
mod check;
mod check_settings;
#[cfg(feature = "demo")]
mod demo;
mod exit;
mod findings;
mod fitness;
mod followed_files;
mod health;
mod irr;
mod jobs;
mod output;
mod process_name;
mod progress_bar;
mod requests;
#[cfg(feature = "demo")]
mod sandbox;
mod serve;
mod services;
mod signals;
mod sync;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    config::{self, Settings},
    http, telemetry,
};
use exit::ExitStatus;

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

const EXIT_CODES: &str = "Exit codes: 0 nothing failed, 1 a config failed, or what may pass, 2 wrong usage or settings, or \
                          what no retry mends, 3 some objects or requests failed, or a finding is overdue, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring NetBox in line with what ARIN has registered
    Sync(sync::Args),
    /// Run the service: HTTP API, webhooks, schedule and workers
    Serve(serve::Args),
    /// Run workers only, next to `serve` processes; over HTTP it answers with its health and metrics
    Work,
    /// Ask the `serve` or `work` process on this machine for its health: exit code 0 if it is well, else 1
    Health(health::Args),
    /// Look at the queue of the service, and retry or cancel jobs
    Jobs(jobs::Args),
    /// List where the address plan and ARIN's registry differ, and by when that has to be put right
    Findings(findings::Args),
    /// Ask for changes at ARIN, approve them, send them once and follow them
    Requests(requests::Args),
    /// Look at the mirrors of routing registries; update, reload and export them
    Irr(irr::Args),
    /// Create or migrate the custom object types in NetBox
    Bootstrap(bootstrap::Args),
    /// Try all that a sync and the service need: NetBox, permissions, webhook, API keys, ARIN, Redis
    Check(check::Args),
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

/// Runs the command that the process was started with.
pub async fn main() -> ExitCode {
    let Cli { config: file, command } = Cli::parse();
    match command {
        Command::Config => {
            output::out(config::DEFAULTS);
            ExitCode::SUCCESS
        }
        Command::Openapi => {
            output::out(&http::openapi());
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
        Command::Findings(args) => {
            with_settings(file, "warn", async |settings| findings::run(args, settings).await).await
        }
        Command::Requests(args) => {
            with_settings(file, "warn", async |settings| requests::run(args, settings).await).await
        }
        Command::Irr(args) => with_settings(file, "warn", async |settings| irr::run(args, settings).await).await,
        Command::Bootstrap(args) => {
            with_settings(file, "warn", async |settings| bootstrap::run(args, settings).await).await
        }
        Command::Check(args) if args.settings_only => check_settings::run(file.as_deref()).await.into(),
        Command::Check(args) => with_settings(file, "warn", async |settings| check::run(args, settings).await).await,
    }
}

async fn with_settings(
    file: Option<PathBuf>,
    level: &str,
    command: impl AsyncFnOnce(Settings) -> ExitStatus,
) -> ExitCode {
    let settings = match config::load(file.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return ExitStatus::Misused.because(&error).into(),
    };
    let telemetry = match telemetry::start(&settings.telemetry, level) {
        Ok(telemetry) => telemetry,
        Err(error) => return ExitStatus::Misused.because(&error).into(),
    };
    let status = command(settings).await;
    telemetry.end().await;
    status.into()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, CommandFactory};

    use super::*;

    #[test]
    fn clap_finds_no_fault_in_the_commands() {
        Cli::command().debug_assert();
    }

    /// Clap does not look for this. It gives the value of the one to the other, and panics where their types differ.
    #[test]
    fn no_command_has_an_argument_like_a_global_one() {
        assert_eq!(like_global(&Cli::command(), &[]), [""; 0]);
    }

    /// Returns the arguments of a command, and of those below it, that have the name or an option of a global one above.
    fn like_global(command: &clap::Command, above: &[&Arg]) -> Vec<String> {
        let (global, own): (Vec<&Arg>, Vec<&Arg>) = command.get_arguments().partition(|arg| arg.is_global_set());
        let alike = |one: &Arg, other: &Arg| {
            one.get_id() == other.get_id()
                || one.get_long().is_some_and(|long| other.get_long() == Some(long))
                || one.get_short().is_some_and(|short| other.get_short() == Some(short))
        };
        let all = own.iter().chain(&global);
        let clashing = all.filter(|arg| above.iter().any(|other| alike(arg, other)));
        let mut found: Vec<String> = clashing.map(|arg| format!("{} {}", command.get_name(), arg.get_id())).collect();
        let above: Vec<&Arg> = above.iter().copied().chain(global).collect();
        for below in command.get_subcommands() {
            found.extend(like_global(below, &above));
        }
        found
    }
}
