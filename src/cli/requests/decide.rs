//! `rir-sidecar requests approve`, `reject` and `withdraw`: what a person decides, with their own NetBox token.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::{
    args::Asked,
    means::{Ended, Means, misused, of_netbox},
    text,
};
use crate::{
    cli::{exit::ExitStatus, output},
    error_chain::error_chain,
    http::RequestView,
    model::RowId,
    requests::{ChangeRequest, Decisions, NotDecided, Person},
};

pub(super) async fn approve(means: &Means, asked: &Asked, digest: Option<&str>) -> Result<ExitStatus, Ended> {
    if digest.is_some() && asked.ids.len() > 1 {
        return Err(misused("--digest is for one request, and several are named".to_owned()));
    }
    let person = means.person(&asked.user).await?;
    // Who names no digest approves what the row has now.
    each(means, asked, async |decisions, id| decisions.approve(&person, &means.configs, (id, digest)).await).await
}

pub(super) async fn reject(means: &Means, asked: &Asked, reason: &str) -> Result<ExitStatus, Ended> {
    let person = means.person(&asked.user).await?;
    each(means, asked, async |decisions, id| decisions.reject(&person, id, reason).await).await
}

pub(super) async fn withdraw(means: &Means, asked: &Asked) -> Result<ExitStatus, Ended> {
    let person = means.person(&asked.user).await?;
    each(means, asked, async |decisions, id| decisions.withdraw(&person, id).await).await
}

/// Decides about requests, as many at once as NetBox is written to, and prints them in their order. One that cannot be
/// decided does not stop the others.
async fn each(
    means: &Means,
    asked: &Asked,
    decide: impl AsyncFn(Decisions<'_>, RowId) -> Result<ChangeRequest, NotDecided>,
) -> Result<ExitStatus, Ended> {
    let (mut views, mut status) = (Vec::new(), ExitStatus::Done);
    let decisions = asked.ids.iter().map(|id| decide(means.decisions(), RowId(*id)));
    let mut decided = stream::iter(decisions).buffered(means.ctx.settings.netbox.writes_in_flight);
    while let Some(decided) = decided.next().await {
        match decided {
            Ok(request) => views.push(RequestView::from(&request)),
            Err(error) => {
                output::err(&format!("error: {}", error_chain(&error)));
                status = status.max(ExitStatus::failed(error.retry()));
            }
        }
    }
    means.print(&views, text::table)?;
    Ok(status)
}

impl Means {
    pub(super) fn decisions(&self) -> Decisions<'_> {
        let (ctx, now) = (&self.ctx, Timestamp::now());
        let settings = &ctx.settings.requests;
        Decisions { netbox: &ctx.netbox, arin: &ctx.arin, keys: &ctx.keys, settings, now }
    }

    /// Makes sure that the NetBox token in the settings is that of the person who decides.
    pub(super) async fn person<'a>(&'a self, name: &'a str) -> Result<Person<'a>, Ended> {
        let user = self.ctx.netbox.whoami().await.map_err(of_netbox)?;
        if user.name != name {
            return Err(misused(format!(
                "the NetBox token in the settings is that of {:?}; {name} has to do this with a token of their own: set \
                 netbox.token (RIR_SIDECAR__NETBOX__TOKEN) to it",
                user.name
            )));
        }
        Ok(Person { name, netbox: Some(&self.ctx.netbox) })
    }
}
