//! Before the first question: what NetBox has, which API key is used, and what is to be asked.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    Context, Limits, Plan, Rules,
    apply::Stamp,
    outcome::{Ended, SyncRun},
    plan,
    progress::Phase,
    questions::{Questions, Recorded, Wanted, questions, recorded},
    report::change_message,
    request::{Asks, Request, Rows},
};
use crate::{
    arin,
    config::keys::{ApiKey, NoKey},
    model::{Config, Inventory, OrgHandle, Registration, Scope},
    netbox,
    retry::Retry,
};

/// What a run works with once NetBox was read and the API key chosen.
pub(super) struct Prepared {
    pub(super) arin: arin::Client,
    pub(super) questions: Questions,
    pub(super) recorded: Inventory,
    /// Whether the recorded rows were read. Where nothing that is asked first depends on them, the asking begins before.
    pub(super) has_rows: bool,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
    pub(super) stamp: Stamp,
    pub(super) registered: Registration,
    /// Why writing came to an end before everything was written.
    pub(super) hopeless: Option<Arc<netbox::Error>>,
}

impl Prepared {
    pub(super) fn plan(&self) -> Plan {
        plan(&self.registered, &self.recorded, &self.rules)
    }
}

/// Reads NetBox, chooses the API key and works out the questions. `known` are the recorded rows, if they are known already.
pub(super) async fn prepare(
    ctx: &Context,
    request: &Request<'_>,
    known: Option<Rows>,
    run: &mut SyncRun,
) -> Result<Prepared, Ended> {
    let Request { config, configs, scope, resources, .. } = request;
    ctx.progress.update(|at| at.phase = Phase::Inventory);
    let rir = config.rir.ok_or_else(|| Ended::failed("the config names no RIR; set one in NetBox"))?;
    let has_rows = known.is_some() || !asks_first(ctx, request);
    let rows = async {
        match known {
            Some(rows) => Ok(rows),
            None if has_rows => ctx.netbox.recorded().await,
            None => Ok(BTreeMap::new()),
        }
    };
    let read = tokio::try_join!(ctx.netbox.aggregates_and_prefixes(rir, scope), rows);
    let ((aggregates, prefixes), rows) = read.map_err(|error| Ended::of(&error, error.retry()))?;
    let recorded = Inventory { configs: configs.to_vec(), aggregates, prefixes, rows };
    let key = choose_key(ctx, request, &recorded, run).map_err(|error| Ended::of(&error, Retry::Never))?;
    run.user = Some(key.user.clone());
    let arin = ctx.arin.client(&config.api_url, key.secret.clone());
    let arin = arin.map_err(|error| Ended::of(&error, error.retry()))?;
    let recipients: Vec<OrgHandle> =
        ctx.settings.sync.recipient_orgs.iter().filter_map(|handle| OrgHandle::new(handle)).collect();
    let wanted = Wanted { scope, resources, recipients: &recipients };
    let instance = arin.instance();
    let instance_of = |other: &Config| ctx.arin.instance(&other.api_url);
    let incomplete = matches!(scope, Scope::Rest { complete: false, .. });
    Ok(Prepared {
        questions: questions(&wanted, config, instance, &recorded),
        rules: Rules::new(config, configs, instance, ctx.settings.sync.auto_link_networks, instance_of),
        limits: Limits { max_retired_share: ctx.settings.sync.max_retired_share },
        stamp: Stamp { now: Timestamp::now(), user: key.user.clone(), message: change_message(&run.id) },
        registered: Registration { incomplete, ..Registration::default() },
        hopeless: None,
        recorded,
        has_rows,
        arin,
    })
}

/// Whether asking can begin before the recorded rows are read: they say nothing about what to ask first, and the API key
/// does not depend on which was used last.
fn asks_first(ctx: &Context, request: &Request<'_>) -> bool {
    let one_key = ctx.keys.of(&request.config.name).count() < 2;
    one_key && !matches!(request.scope, Scope::Inside { .. } | Scope::Rest { .. })
}

impl Prepared {
    /// Sees to it that the recorded rows are there. Gives those to ask for if nothing else brings them up.
    pub(super) async fn take_rows(&mut self, ctx: &Context, request: &Request<'_>) -> Result<Vec<Recorded>, Ended> {
        if !self.has_rows {
            self.recorded.rows = ctx.netbox.recorded().await.map_err(|error| Ended::of(&error, error.retry()))?;
            self.has_rows = true;
        }
        let Request { scope, resources, config, .. } = request;
        Ok(recorded(scope, resources, config.id, self.arin.instance(), &self.recorded))
    }
}

/// The API key that a run uses. That it is not the asking user's is worth a note.
fn choose_key<'a>(
    ctx: &'a Context,
    request: &Request<'_>,
    recorded: &Inventory,
    run: &mut SyncRun,
) -> Result<&'a ApiKey, NoKey> {
    let name = &request.config.name;
    let last = used_last(recorded, request.config);
    match request.asks {
        Asks::Nobody => ctx.keys.choose(name, None, last.as_deref()),
        Asks::User(user) => ctx.keys.choose(name, Some(user), None),
        Asks::Change(user) => ctx.keys.choose(name, Some(user), None).or_else(|_| {
            let key = ctx.keys.choose(name, None, last.as_deref())?;
            run.note = Some(format!("{user}, who made the change, has no API key for this config."));
            Ok(key)
        }),
    }
}

/// The user whose key was used last for a config: the one its most recently written row names.
fn used_last(recorded: &Inventory, config: &Config) -> Option<String> {
    let rows = recorded.rows.values().flat_map(|rows| rows.values());
    let ours = rows.filter(|row| row.config() == Some(config.id) && row.synced_by.is_some());
    ours.max_by_key(|row| row.last_synced)?.synced_by.clone()
}
