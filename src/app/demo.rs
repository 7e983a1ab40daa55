//! `rir-sidecar demo`
use super::Outcome;
/// a
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Leave the simulated systems running
    #[arg(long)]
    keep: bool,
}
pub(super) async fn run(_args: Args) -> Outcome {
    Outcome::Done
}
