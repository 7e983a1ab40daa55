//! `rir-sidecar requests submit`, `look` and `run`: sends what is approved, and looks what became of what was sent.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::{
    args::Asked,
    means::{Ended, Means, misused, of_netbox},
    text,
};
use crate::{
    cli::{exit::ExitStatus, output},
    error_chain::error_chain,
    http::RequestView,
    model::{Config, RowId},
    requests::{ChangeRequest, Flow, NotGoneOn, Progress, State},
    worker::{run_name, sync_after},
};

/// How many requests are gone on with at once.
const AT_ONCE: usize = 4;

/// What is to be done about the requests that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Send what this person has approved.
    Submit,
    /// Look what became of it.
    Look,
}

/// Goes on with requests that are named.
pub(super) async fn one_by_one(means: &Means, asked: &Asked, what: What) -> Result<ExitStatus, Ended> {
    let person = means.person(&asked.user).await?;
    let mut work = Vec::new();
    for id in &asked.ids {
        let request = means.request(RowId(*id)).await?;
        let approver = request.approval.as_ref().map(|approval| approval.by.as_str());
        match (what, request.state, approver) {
            (_, _, Some(approver)) if approver != person.name && request.state.is_open() => {
                let (id, approver) = (request.id, approver.to_owned());
                let error = NotGoneOn::OtherApprover { id, approver };
                return Err((error.into(), ExitStatus::Misused));
            }
            (What::Submit, State::Approved, _) => {}
            (What::Look, state, _) if state.is_under_way() => {}
            (What::Submit, state, _) => {
                let sentence = format!("change request {id} is {state}; only what is approved can be sent");
                return Err(misused(sentence));
            }
            (What::Look, state, _) => {
                let sentence = format!("change request {id} is {state}, so that there is nothing to look for");
                return Err(misused(sentence));
            }
        }
        let no_config = || (NotGoneOn::NoConfig(request.id).into(), ExitStatus::Misused);
        work.push((means.config(request.config).ok_or_else(no_config)?, request.id));
    }
    go_on(means, &means.flow(), (work, what == What::Look)).await
}

/// Goes on with all requests of these configs, or with some of them.
pub(super) async fn all(means: &Means, names: &[String], ids: &[u64]) -> Result<ExitStatus, Ended> {
    let flow = means.flow();
    let mut work = Vec::new();
    for config in means.chosen(names)? {
        let found = flow.work(config).await.map_err(of_netbox)?;
        let wanted = found.into_iter().filter(|id| ids.is_empty() || ids.contains(&id.0));
        work.extend(wanted.map(|id| (config, id)));
    }
    // By hand a ticket is asked for at once.
    go_on(means, &flow, (work, true)).await
}

/// Goes on with requests of these configs.
async fn go_on(
    means: &Means,
    flow: &Flow,
    (work, now_too): (Vec<(&Config, RowId)>, bool),
) -> Result<ExitStatus, Ended> {
    let configs: BTreeMap<RowId, &Config> = work.iter().map(|(config, _)| (config.id, *config)).collect();
    let one = async |(config, id): (&Config, RowId)| flow.take_up(config, id, now_too).await;
    let done: Vec<Result<Progress, NotGoneOn>> = stream::iter(work).map(one).buffered(AT_ONCE).collect().await;
    let (mut views, mut status, mut changed) = (Vec::new(), ExitStatus::Done, Vec::new());
    for progress in done {
        match progress {
            Ok(Progress { request, has_changed_registry, .. }) => {
                status = status.max(of_state(request.state));
                views.push(RequestView::from(&request));
                changed.extend(has_changed_registry.then_some(request));
            }
            Err(error) => {
                output::err(&format!("error: {}", error_chain(&error)));
                status = status.max(ExitStatus::failed(error.retry()));
            }
        }
    }
    for config in configs.into_values() {
        let of_config: Vec<&ChangeRequest> = changed.iter().filter(|request| request.config == config.id).collect();
        if !of_config.is_empty()
            && !sync_after(&means.ctx, &means.services.coordination, (config, &means.configs), &of_config).await
        {
            output::err(&format!(
                "{}: the rows of what was changed could not all be synced; the next sync does",
                config.name
            ));
            status = status.max(ExitStatus::SomeFailed);
        }
    }
    means.print(&views, text::table)?;
    Ok(status)
}

/// Returns how a command ends that leaves a request in a state.
fn of_state(state: State) -> ExitStatus {
    match state {
        State::Done | State::Ticket => ExitStatus::Done,
        State::Draft
        | State::Waiting
        | State::Approved
        | State::Submitting
        | State::Unknown
        | State::Refused
        | State::Rejected
        | State::Withdrawn
        | State::Expired
        | State::Failed => ExitStatus::SomeFailed,
    }
}

impl Means {
    fn flow(&self) -> Flow {
        let ctx = &self.ctx;
        let run = run_name();
        let (netbox, arin) = (ctx.netbox.clone(), ctx.arin.clone());
        Flow::new((netbox, arin), ctx.keys.clone(), ctx.settings.clone(), (ctx.stop.clone(), run))
    }
}
