//! The `rir-sidecar` command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    rir_sidecar::cli::main().await
}
