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
    let mut requests = Vec::new();
    for id in &asked.ids {
        let request = means.request(RowId(*id)).await?;
        let approver = request.approval.as_ref().map(|approval| approval.by.as_str());
        match (what, request.state, approver) {
            (_, _, Some(approver)) if approver != person.name && request.state.is_open() => {
                let (id, approver) = (request.id, approver.to_owned());
                let error = NotGoneOn::OtherApprover { id, approver };
                return Err((error.into(), ExitStatus::Misused));
            }
            (What::Submit, State::Approved, _) => requests.push(request),
            (What::Look, state, _) if state.is_under_way() => requests.push(request),
            (What::Submit, state, _) => {
                let sentence = format!("change request {id} is {state}; only what is approved can be sent");
                return Err(misused(sentence));
            }
            (What::Look, state, _) => {
                let sentence = format!("change request {id} is {state}, so that there is nothing to look for");
                return Err(misused(sentence));
            }
        }
    }
    go_on(means, requests, what == What::Look).await
}

/// Goes on with all requests of these configs, or with some of them.
pub(super) async fn all(means: &Means, names: &[String], ids: &[u64]) -> Result<ExitStatus, Ended> {
    let mut requests = Vec::new();
    for config in means.chosen(names)? {
        let (found, odd) = means.flow().work(config).await.map_err(of_netbox)?;
        for error in odd {
            output::err(&format!("error: {}", error_chain(&error)));
        }
        requests.extend(found);
    }
    requests.retain(|request| ids.is_empty() || ids.contains(&request.id.0));
    // By hand a ticket is asked for at once.
    go_on(means, requests, true).await
}

async fn go_on(means: &Means, requests: Vec<ChangeRequest>, now_too: bool) -> Result<ExitStatus, Ended> {
    let flow = means.flow();
    let configs: BTreeMap<RowId, &Config> =
        requests.iter().filter_map(|request| Some((request.config, means.config(request.config)?))).collect();
    let one = async |request: ChangeRequest| {
        let (id, config) = (request.id, means.config(request.config));
        match config {
            Some(config) => flow.go_on(config, request, now_too).await,
            None => Err(NotGoneOn::NoConfig(id)),
        }
    };
    let done: Vec<Result<Progress, NotGoneOn>> = stream::iter(requests).map(one).buffered(AT_ONCE).collect().await;
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
