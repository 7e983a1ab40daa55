//! `rir-sidecar requests`: asks for changes at ARIN, has them approved, sends and follows them.
//!
//! Who approves or sends proves with their own NetBox token who they are: it has to be the one in the settings.

mod args;
mod decide;
mod means;
mod prepare;
mod progress;
pub(super) mod text;

pub(super) use self::args::Args;
use self::{
    args::RequestAction,
    means::{Ended, Means},
};
use super::{exit::ExitStatus, output::Format};
use crate::config::Settings;

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let Args { action, output: format } = args;
    match perform(action, settings, format).await {
        Ok(status) => status,
        Err((error, status)) => status.because(&*error),
    }
}

async fn perform(action: RequestAction, settings: Settings, format: Format) -> Result<ExitStatus, Ended> {
    let means = Means::new(settings, format).await?;
    match action {
        RequestAction::Prepare(prepare) => prepare::run(&means, prepare).await,
        RequestAction::List { ids, config_name, state, all, whoever: _ } => {
            means.list((&config_name, &ids), &state, all).await
        }
        RequestAction::Show { ids, whoever: _ } => means.show(&ids).await,
        RequestAction::Approve { asked, digest } => decide::approve(&means, &asked, digest.as_deref()).await,
        RequestAction::Reject { asked, reason } => decide::reject(&means, &asked, &reason).await,
        RequestAction::Withdraw(asked) => decide::withdraw(&means, &asked).await,
        RequestAction::Look(asked) => progress::one_by_one(&means, &asked, progress::What::Look).await,
        RequestAction::Submit(asked) => progress::one_by_one(&means, &asked, progress::What::Submit).await,
        RequestAction::Run { config_name, ids, whoever: _ } => progress::all(&means, &config_name, &ids).await,
    }
}
