//! What the commands about requests work with.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::text;
use crate::{
    cli::{
        exit::{AnyError, ExitStatus},
        output::{self, Format},
        services::{services, stop_on_signal},
    },
    config::Settings,
    http::RequestView,
    model::{Config, RowId},
    netbox,
    requests::{ChangeRequest, NotUnderstood, State},
    services::Services,
    sync::Context,
};

/// What a command works with.
pub(super) struct Means {
    pub(super) ctx: Context,
    pub(super) services: Services,
    pub(super) configs: Vec<Config>,
    pub(super) format: Format,
}

/// The end of a command that could not begin, or broke off.
pub(super) type Ended = (AnyError, ExitStatus);

impl Means {
    pub(super) async fn new(settings: Settings, format: Format) -> Result<Self, Ended> {
        let unusable = |error: AnyError| (error, ExitStatus::Misused);
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone());
        let (services, _) = services(settings, &stop).await.map_err(unusable)?;
        let ctx = services.context(stop);
        let configs = ctx.netbox.configs().await.map_err(of_netbox)?;
        Ok(Self { ctx, services, configs, format })
    }

    /// Returns the configs of these names, all of them if there are none.
    pub(super) fn chosen(&self, names: &[String]) -> Result<Vec<&Config>, Ended> {
        let config = |name: &String| {
            let known = || self.configs.iter().map(|config| config.name.as_str()).collect::<Vec<_>>();
            let found = self.configs.iter().find(|config| config.name == *name);
            found.ok_or_else(|| misused(format!("NetBox has no RIR config {name:?}; it has {:?}", known())))
        };
        if names.is_empty() { Ok(self.configs.iter().collect()) } else { names.iter().map(config).collect() }
    }

    pub(super) fn config(&self, id: RowId) -> Option<&Config> {
        self.configs.iter().find(|config| config.id == id)
    }

    /// Lists requests of some configs, or some of them whatever their state.
    pub(super) async fn list(
        &self,
        (names, ids): (&[String], &[u64]),
        states: &[String],
        all: bool,
    ) -> Result<ExitStatus, Ended> {
        let configs: Vec<RowId> = self.chosen(names)?.into_iter().map(|config| config.id).collect();
        let is_any = |state: State| all || !ids.is_empty() || state.is_open();
        let open = || State::ALL.into_iter().filter(|state| is_any(*state)).map(|state| state.name().to_owned());
        let states = if states.is_empty() { open().collect() } else { states.to_vec() };
        let ids = ids.iter().copied().map(RowId).collect();
        let filter = netbox::RequestFilter { config: None, states, ids };
        let rows = self.ctx.netbox.whole_request_rows(&filter).await.map_err(of_netbox)?;
        let rows: Vec<_> =
            rows.into_iter().filter(|row| row.config.is_some_and(|config| configs.contains(&config))).collect();
        let views: Vec<RequestView> = rows.into_iter().map(RequestView::of_row).collect();
        self.print(&views, text::table)
    }

    pub(super) async fn show(&self, ids: &[u64]) -> Result<ExitStatus, Ended> {
        let mut views = Vec::new();
        for id in ids {
            views.push(RequestView::from(&self.request(RowId(*id)).await?));
        }
        self.print(&views, text::details)
    }

    /// Reads requests that were just written.
    pub(super) async fn rows(&self, ids: Vec<RowId>) -> Result<BTreeMap<RowId, RequestView>, Ended> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let filter = netbox::RequestFilter { ids, ..netbox::RequestFilter::default() };
        let rows = self.ctx.netbox.whole_request_rows(&filter).await.map_err(of_netbox)?;
        Ok(rows.into_iter().map(|row| (row.id, RequestView::of_row(row))).collect())
    }

    /// Reads one request.
    pub(super) async fn request(&self, id: RowId) -> Result<ChangeRequest, Ended> {
        let row = self.ctx.netbox.request_row(id).await.map_err(of_netbox)?;
        let row = row.ok_or_else(|| misused(format!("there is no change request {id}")))?;
        row.try_into().map_err(|error: NotUnderstood| (error.into(), ExitStatus::Misused))
    }

    /// Prints requests as people or programs read them.
    pub(super) fn print(&self, views: &[RequestView], text: fn(&[RequestView]) -> String) -> Result<ExitStatus, Ended> {
        match self.format {
            Format::Text => output::out(&text(views)),
            Format::Json => {
                let json = serde_json::to_string_pretty(views).map_err(|error| (error.into(), ExitStatus::Failed))?;
                output::out(&json);
            }
        }
        Ok(ExitStatus::Done)
    }
}

pub(super) fn misused(sentence: String) -> Ended {
    (sentence.into(), ExitStatus::Misused)
}

pub(super) fn of_netbox(error: netbox::Error) -> Ended {
    let status = ExitStatus::failed(error.retry());
    if error.is_not_found() {
        output::err("NetBox has no change requests yet: run `rir-sidecar bootstrap` first");
    }
    (error.into(), status)
}
