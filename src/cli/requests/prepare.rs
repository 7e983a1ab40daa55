//! `rir-sidecar requests prepare`.

use super::{
    args::{self, Prepare},
    means::{Ended, Means, misused},
    text,
};
use crate::{
    cli::{exit::ExitStatus, output},
    http::RequestView,
    model::{CustomerHandle, NetHandle, OrgHandle, RowId},
    requests::{
        Order, OrderSubject as Subject, Prepared, PreparedRequest, Preparing,
        draft::{Choice, Fields},
    },
};

pub(super) async fn run(means: &Means, asked: Prepare) -> Result<ExitStatus, Ended> {
    let order = order(&asked).map_err(misused)?;
    let chosen = means.chosen(std::slice::from_ref(&asked.config_name))?;
    let Some(config) = chosen.first() else { return Ok(ExitStatus::Misused) };
    let ctx = &means.ctx;
    let preparing = Preparing { netbox: &ctx.netbox, arin: &ctx.arin, keys: &ctx.keys, settings: &ctx.settings };
    let prepared = preparing.prepare((config, &means.configs), &order).await;
    let prepared = prepared.map_err(|error| {
        let status = ExitStatus::failed(error.retry());
        (error.into(), status)
    })?;
    show(means, &prepared, config.id, &order).await
}

/// Reads what is asked for.
fn order(asked: &Prepare) -> Result<Order, String> {
    let Prepare { subject, operation, org, fields, user, plan_only, .. } = asked;
    let handle = |text: &str, kind: &str| format!("`{text}` is not the handle of {kind}");
    let subject = match subject {
        args::Subject { prefix: Some(text), .. } => {
            Subject::Prefix(text.parse().map_err(|error| format!("--prefix: {error}"))?)
        }
        args::Subject { network: Some(text), .. } => {
            Subject::Network(NetHandle::new(text).ok_or_else(|| handle(text, "a net"))?)
        }
        args::Subject { customer: Some(text), .. } => {
            Subject::Customer(CustomerHandle::new(text).ok_or_else(|| handle(text, "a customer"))?)
        }
        args::Subject { finding: Some(id), .. } => Subject::Finding(RowId(*id)),
        args::Subject { aggregate: Some(text), .. } => {
            Subject::Aggregate(text.parse().map_err(|error| format!("--aggregate: {error}"))?)
        }
        args::Subject { request: Some(id), .. } => Subject::Request(RowId(*id)),
        args::Subject { .. } => return Err("say what it is about: --prefix, --network, ...".to_owned()),
    };
    let chosen: Option<Choice> = operation
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: crate::requests::NoSuchOperation| error.to_string())?;
    let org = match org {
        Some(text) => Some(OrgHandle::new(text).ok_or_else(|| handle(text, "an organization"))?),
        None => None,
    };
    let mut set = Fields::default();
    for text in fields {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("--set: `{text}` is not of the form FIELD=VALUE, such as city=Montreal"))?;
        set.set(name, value).map_err(|error| format!("--set: {error}"))?;
    }
    Ok(Order { user: user.clone(), subject, chosen, org, set, keep: !plan_only })
}

/// Prints what was prepared, and tells why other things were not.
async fn show(means: &Means, prepared: &Prepared, config: RowId, order: &Order) -> Result<ExitStatus, Ended> {
    let (mut views, mut status) = (Vec::new(), ExitStatus::Done);
    let kept = prepared.requests.iter().filter_map(|request| request.opened.as_ref()?.as_ref().ok().copied());
    let mut rows = means.rows(kept.collect()).await?;
    for request in &prepared.requests {
        let PreparedRequest { about, drafted, opened, .. } = request;
        match (drafted, opened) {
            (Err(why), _) => {
                output::err(&format!("{about}: {why}"));
                // One that was asked for by itself is wrong; of many the others go on.
                let alone = prepared.requests.len() == 1;
                status = status.max(if alone { ExitStatus::Misused } else { ExitStatus::SomeFailed });
                continue;
            }
            (Ok(_), Some(Ok(id))) => match rows.remove(id) {
                Some(view) => views.push(view),
                None => {
                    output::err(&format!("{about}: change request {id} was made, and is gone already"));
                    status = status.max(ExitStatus::SomeFailed);
                    continue;
                }
            },
            (Ok(_), Some(Err(why))) => {
                output::err(&format!("{about}: {}", crate::error_chain::error_chain(why)));
                status = status.max(ExitStatus::SomeFailed);
                continue;
            }
            (Ok(draft), None) => views.push(RequestView::of_draft(draft, request, (config, &order.user))),
        }
        if request.state() == crate::requests::State::Draft {
            status = status.max(ExitStatus::SomeFailed);
        }
    }
    if prepared.left_out > 0 {
        output::err(&format!(
            "{} more would be there; requests.max_at_once is how many are prepared at once. Ask again when these are done.",
            prepared.left_out
        ));
    }
    let one_or_two = views.len() <= 2;
    means.print(&views, if one_or_two { text::details } else { text::table })?;
    Ok(status)
}
