//! The flow of one run.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::mpsc, time::Instant};
use tracing::{Instrument, info_span};

use super::{
    Limits, Plan, Refused, Rules,
    apply::{Outcome, Stamp, apply},
    gather::{Finding, Stopped, gather},
    outcome::{Ended, SyncRun, chain},
    plan,
    progress::{Phase, Progress},
    questions::{Questions, Wanted, questions},
    report::{self, Journal, change_message},
};
use crate::{
    arin,
    config::{self, keys::Keyring},
    model::{Config, Inventory, Key, ObjectType, OrgHandle, Registration, Resource, Scope},
    netbox::{self, Stop},
};

/// Writing begins when so much time has passed since the first thing was learnt, however little there is to write.
const PATIENCE: Duration = Duration::from_millis(500);
/// Things learnt and not yet taken up. More make the asking wait for the writing.
const BACKLOG: usize = 4096;

/// What every run needs.
#[derive(Debug)]
pub struct Context {
    /// NetBox.
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The API keys.
    pub keys: Keyring,
    /// All settings.
    pub settings: config::Settings,
    /// Where the run tells how far it is.
    pub progress: Progress,
    /// Where somebody may ask it to stop.
    pub stop: Stop,
}

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The config.
    pub config: &'a Config,
    /// All configs: those at the same registry instance share rows.
    pub configs: &'a [Config],
    /// The part of it.
    pub scope: Scope,
    /// The kinds of registrations.
    pub resources: &'a BTreeSet<Resource>,
    /// NetBox user who asks; `None` for a run nobody asked for.
    pub user: Option<&'a str>,
}

/// What a run would write, and why it might not be the whole story.
#[derive(Debug)]
pub struct Preview {
    /// What would be written.
    pub plan: Plan,
    /// The run as it would be recorded so far: failures, skips, what ended it, requests.
    pub run: SyncRun,
}

/// Brings NetBox in line with what the RIR has registered for one config, and records how it went.
pub async fn run(ctx: &Context, request: &Request<'_>) -> SyncRun {
    let mut journal = Journal::new(&ctx.netbox, begin(request));
    let span = info_span!("sync", run = %journal.run.id, config = %journal.run.config);
    let (sent, started) = (ctx.netbox.requests(), Instant::now());
    async {
        if let Err(ended) = steps(ctx, request, &mut journal).await {
            journal.run.ended = Some(ended);
        }
        ctx.progress.update(|at| at.phase = Phase::Report);
        journal.run.took = started.elapsed();
        journal.run.netbox_requests = ctx.netbox.requests() - sent;
        report::record(ctx, &mut journal).await;
        journal.run.netbox_requests = ctx.netbox.requests() - sent;
    }
    .instrument(span)
    .await;
    journal.run
}

/// Asks the RIR and plans, and leaves it at that.
pub async fn preview(ctx: &Context, request: &Request<'_>) -> Preview {
    let mut run = begin(request);
    let (sent, started) = (ctx.netbox.requests(), Instant::now());
    let planned = plan_only(ctx, request, &mut run).await;
    let plan = planned.unwrap_or_else(|ended| {
        run.ended = Some(ended);
        Plan::default()
    });
    run.took = started.elapsed();
    run.netbox_requests = ctx.netbox.requests() - sent;
    Preview { plan, run }
}

fn begin(request: &Request<'_>) -> SyncRun {
    let started = Timestamp::now();
    SyncRun {
        id: format!("{}-{:08x}", started.strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..)),
        config: request.config.name.clone(),
        config_id: request.config.id,
        started,
        took: Duration::ZERO,
        user: None,
        applied: Vec::new(),
        unchanged: Vec::new(),
        failures: Vec::new(),
        skips: Vec::new(),
        ended: None,
        arin_requests: 0,
        netbox_requests: 0,
    }
}

/// What the asking came to: the recorded objects that are gone, or why it ended early.
type Asked = Result<BTreeSet<(ObjectType, Key)>, Stopped>;

/// What a run works with once NetBox was read and the API key chosen.
struct Prepared {
    arin: arin::Client,
    questions: Questions,
    recorded: Inventory,
    rules: Rules,
    limits: Limits,
    stamp: Stamp,
    registered: Registration,
    /// Why writing came to an end before everything was written.
    hopeless: Option<Arc<netbox::Error>>,
}

impl Prepared {
    fn plan(&self) -> Plan {
        plan(&self.registered, &self.recorded, &self.rules)
    }
}

async fn prepare(ctx: &Context, request: &Request<'_>, run: &mut SyncRun) -> Result<Prepared, Ended> {
    let Request { config, configs, scope, resources, user } = request;
    let failed = |error: &dyn std::error::Error| Ended::Failed(chain(error));
    ctx.progress.update(|at| at.phase = Phase::Inventory);
    let rir = config.rir.ok_or_else(|| Ended::Failed("the config names no RIR; set one in NetBox".into()))?;
    let recorded = ctx.netbox.inventory(rir, *scope, configs.to_vec()).await.map_err(|error| failed(&error))?;
    let used_last = used_last(&recorded, config);
    let key = ctx.keys.choose(&config.name, *user, used_last.as_deref()).map_err(|error| failed(&error))?;
    run.user = Some(key.user.clone());
    let arin = ctx.arin.client(&config.api_url, key.secret.clone()).map_err(|error| failed(&error))?;
    let recipients: Vec<OrgHandle> =
        ctx.settings.sync.recipient_orgs.iter().filter_map(|handle| OrgHandle::new(handle)).collect();
    let wanted = Wanted { scope: *scope, resources, recipients: &recipients };
    let instance = arin.instance();
    let instance_of = |other: &Config| ctx.arin.instance(&other.api_url);
    Ok(Prepared {
        questions: questions(&wanted, config, instance, &recorded),
        rules: Rules::new(config, configs, instance, ctx.settings.sync.auto_link_networks, instance_of),
        limits: Limits { max_retired_share: ctx.settings.sync.max_retired_share },
        stamp: Stamp { now: run.started, user: key.user.clone(), message: change_message(&run.id) },
        registered: Registration::default(),
        hopeless: None,
        recorded,
        arin,
    })
}

/// The user whose key was used last for a config: the one its most recently written row names.
fn used_last(recorded: &Inventory, config: &Config) -> Option<String> {
    let rows = recorded.rows.values().flat_map(|rows| rows.values());
    let ours = rows.filter(|row| row.config() == Some(config.id) && row.synced_by.is_some());
    ours.max_by_key(|row| row.last_synced)?.synced_by.clone()
}

/// Asks and writes at the same time: what was learnt is planned and applied while the asking goes on. Rows are marked as
/// not found at the end, when everything is known.
async fn steps(ctx: &Context, request: &Request<'_>, journal: &mut Journal<'_>) -> Result<(), Ended> {
    let mut at = prepare(ctx, request, &mut journal.run).await?;
    let (out, findings) = mpsc::channel(BACKLOG);
    let (arin, questions) = (at.arin.clone(), at.questions.clone());
    let asking = gather(&questions, &arin, ctx, out);
    let (asked, ()) = tokio::join!(asking, write_rounds(ctx, &mut at, findings, journal));
    journal.run.arin_requests = arin.requests();
    let ended = finish(ctx, &mut at, asked, journal).await;
    journal.run.unchanged = unchanged(&at, &journal.run);
    ended
}

/// What is as it should be, and was so before this run.
fn unchanged(at: &Prepared, run: &SyncRun) -> Vec<(ObjectType, String)> {
    let written: BTreeSet<_> = run.applied.iter().map(|applied| (applied.object, applied.handle.clone())).collect();
    at.plan().unchanged.difference(&written).cloned().collect()
}

/// Writes what was learnt, round after round, until nothing more comes or there is no sense in going on.
async fn write_rounds(
    ctx: &Context,
    at: &mut Prepared,
    mut findings: mpsc::Receiver<Finding>,
    journal: &mut Journal<'_>,
) {
    let enough = ctx.settings.netbox.batch_size * ctx.settings.netbox.writes_in_flight;
    while let Some(round) = next_round(&mut findings, enough).await {
        if ctx.stop.asked() || at.hopeless.is_some() {
            return;
        }
        learn(round, &mut at.registered, &mut journal.run);
        let plan = at.plan();
        write(ctx, at, plan, journal).await;
    }
}

/// Waits for something to be learnt, then for more: until there is enough for full batches, or for a moment.
async fn next_round(findings: &mut mpsc::Receiver<Finding>, enough: usize) -> Option<Vec<Finding>> {
    let mut round = Vec::new();
    findings.recv_many(&mut round, BACKLOG).await;
    let until = Instant::now() + PATIENCE;
    while !round.is_empty() && round.len() < enough {
        match tokio::time::timeout_at(until, findings.recv_many(&mut round, BACKLOG)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    (!round.is_empty()).then_some(round)
}

/// Takes up what was learnt.
fn learn(round: Vec<Finding>, registered: &mut Registration, run: &mut SyncRun) {
    for finding in round {
        match finding {
            Finding::Org(org) => drop(registered.orgs.insert(org.handle.clone(), org)),
            Finding::Functions(functions) => registered.functions = Some(functions),
            Finding::Poc(poc) => drop(registered.pocs.insert(poc.handle.clone(), poc)),
            Finding::Net(net) => drop(registered.nets.insert(net.handle.clone(), net)),
            Finding::Customer(customer) => drop(registered.customers.insert(customer.handle.clone(), customer)),
            Finding::Answer(aggregate, net) => drop(registered.aggregates.insert(aggregate, net)),
            Finding::Failed(failure) => run.failures.push(failure),
            Finding::Skipped(skip) => run.skips.push(skip),
        }
    }
    registered.incomplete |= !run.failures.is_empty();
}

/// Applies a plan and logs it.
async fn write(ctx: &Context, at: &mut Prepared, plan: Plan, journal: &mut Journal<'_>) {
    let Outcome { applied, hopeless } = apply(plan, &mut at.recorded, &mut at.rules, ctx, &at.stamp).await;
    at.hopeless = hopeless;
    journal.log(applied).await;
}

/// Marks what the RIR does not have any more, within the limits; or says why the run ended early.
async fn finish(ctx: &Context, at: &mut Prepared, asked: Asked, journal: &mut Journal<'_>) -> Result<(), Ended> {
    let ended = close(at, asked);
    if ctx.stop.asked() {
        return Err(Ended::Interrupted);
    }
    if let Some(error) = &at.hopeless {
        return Err(Ended::Failed(format!("writing to NetBox came to an end: {}", chain(error))));
    }
    ended?;
    match at.limits.allow(at.plan(), &at.recorded, &at.rules) {
        Ok(plan) => {
            write(ctx, at, plan, journal).await;
            Ok(())
        }
        Err(refused) => {
            let why = why(&refused, &journal.run.config);
            write(ctx, at, refused.rest, journal).await;
            Err(Ended::Refused(why))
        }
    }
}

/// Notes how the asking ended: what is gone, or that not everything is known.
fn close(at: &mut Prepared, asked: Asked) -> Result<(), Ended> {
    match asked {
        Ok(gone) => {
            at.registered.gone = gone;
            Ok(())
        }
        Err(stopped) => {
            at.registered.incomplete = true;
            Err(match stopped {
                Stopped::Interrupted => Ended::Interrupted,
                Stopped::Config(_) | Stopped::Outage(_) | Stopped::Unheard => Ended::Failed(chain(&stopped)),
            })
        }
    }
}

fn why(refused: &Refused, config: &str) -> String {
    let Refused { retired, registered, allowed, .. } = refused;
    let percent = |share: f64| (share * 1000.0).ceil() / 10.0;
    let share = refused.share();
    format!(
        "ARIN does not have {retired} of the {registered} rows any more ({:.1} %), and sync.max_retired_share allows \
         {:.1} %; none was marked as not found. If that is right, allow it once: \
         rir-sidecar sync --config-name '{config}' --max-retired-share {}",
        share * 100.0,
        allowed * 100.0,
        percent(share) / 100.0,
    )
}

async fn plan_only(ctx: &Context, request: &Request<'_>, run: &mut SyncRun) -> Result<Plan, Ended> {
    let mut at = prepare(ctx, request, run).await?;
    let (out, mut findings) = mpsc::channel(BACKLOG);
    let (arin, questions) = (at.arin.clone(), at.questions.clone());
    let asking = gather(&questions, &arin, ctx, out);
    let listening = async {
        while let Some(finding) = findings.recv().await {
            learn(vec![finding], &mut at.registered, run);
        }
    };
    let (asked, ()) = tokio::join!(asking, listening);
    run.arin_requests = arin.requests();
    close(&mut at, asked)?;
    let plan = at.plan();
    run.unchanged = plan.unchanged.iter().cloned().collect();
    match at.limits.allow(plan, &at.recorded, &at.rules) {
        Ok(plan) => Ok(plan),
        Err(refused) => {
            run.ended = Some(Ended::Refused(why(&refused, &run.config)));
            Ok(refused.rest)
        }
    }
}
