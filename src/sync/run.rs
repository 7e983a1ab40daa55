//! The flow of one run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{Instrument, info_span};

use super::{
    Limits, Plan, Refused, Rules,
    apply::{Outcome, Stamp, apply},
    gather::{Finding, Stopped, gather},
    outcome::{Ended, SyncRun, Tally, chain},
    plan,
    progress::{Phase, Progress},
    questions::{Questions, Recorded, Wanted, questions, recorded},
    report::{self, Journal, change_message},
};
use crate::{
    arin,
    config::{
        self,
        keys::{ApiKey, Keyring, NoKey},
    },
    model::{Config, Inventory, Key, ObjectType, OrgHandle, Registration, Resource, Row, Scope},
    netbox::{self, Stop},
    retry::Retry,
};

/// Writing begins when so much time has passed since the first thing was learnt, however little there is to write.
const PATIENCE: Duration = Duration::from_secs(2);
/// Things learnt and not yet taken up. More make the asking wait for the writing.
const BACKLOG: usize = 4096;

/// What every run needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// NetBox.
    pub netbox: netbox::Client,
    /// The registry instances that may be asked.
    pub arin: arin::Pool,
    /// The API keys.
    pub keys: Keyring,
    /// All settings.
    pub settings: Arc<config::Settings>,
    /// Where the run tells how far it is.
    pub progress: Progress,
    /// Where somebody may ask it to stop.
    pub stop: Stop,
    /// The recorded rows, if they are known already because nobody wrote since they were read; and what they are
    /// afterwards, for whoever goes on.
    pub rows: HandedOn,
}

/// The recorded rows, from one part of a run to the next.
#[derive(Debug, Clone, Default)]
pub struct HandedOn(Arc<Mutex<Option<Rows>>>);

/// Recorded rows by type and key.
pub type Rows = BTreeMap<ObjectType, BTreeMap<Key, Row>>;

impl HandedOn {
    /// Hands rows on.
    pub fn put(&self, rows: Rows) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
    }

    /// Takes what was handed on.
    #[must_use]
    pub fn take(&self) -> Option<Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
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
    pub resources: BTreeSet<Resource>,
    /// Who asks.
    pub asks: Asks<'a>,
    /// The run it is a part of, for a run in parts and one that may be tried again.
    pub label: Option<Label>,
}

impl<'a> Request<'a> {
    /// A sync of a whole config that nobody asked for.
    #[must_use]
    pub fn of(config: &'a Config, configs: &'a [Config]) -> Self {
        let (scope, resources) = (Scope::Config, Resource::all());
        Self { config, configs, scope, resources, asks: Asks::Nobody, label: None }
    }
}

/// Who asks for a run, which decides whose API key it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<'a> {
    /// Nobody: the key used last, else the first.
    Nobody,
    /// This NetBox user, with their own key or not at all.
    User(&'a str),
    /// This NetBox user by changing something: their own key, else as if nobody had asked.
    Change(&'a str),
}

/// The name of a run that is more than one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Name of the run.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// What tells this call's log rows from those of the others.
    pub part: String,
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
    let mut journal = perform(ctx, request, begin(request)).await.journal;
    let (config, id) = (journal.run.config_id, journal.run.id.clone());
    tokio::join!(record(ctx, request, &mut journal), report::prune(ctx, config, &id));
    journal.run
}

/// What was done, before it is recorded.
pub(super) struct Performed<'a> {
    pub(super) journal: Journal<'a>,
    /// What it was done with; `None` when it did not come to that.
    pub(super) at: Option<Prepared>,
}

/// Does what is asked, as far as it goes.
pub(super) async fn perform<'a>(ctx: &'a Context, request: &Request<'_>, run: SyncRun) -> Performed<'a> {
    let part = request.label.as_ref().map_or_else(|| run.id.clone(), |label| format!("{}:{}", run.id, label.part));
    let mut journal = Journal::new(&ctx.netbox, part, run);
    let span = info_span!("sync", run = %journal.run.id, config = %journal.run.config);
    let (sent, started) = (ctx.netbox.requests(), Instant::now());
    async {
        let mut at = None;
        match prepare(ctx, request, &mut journal.run).await {
            Ok(prepared) => {
                let prepared = at.insert(prepared);
                if let Err(ended) = steps(ctx, request, prepared, &mut journal).await {
                    journal.run.ended = Some(ended);
                }
            }
            Err(ended) => journal.run.ended = Some(ended),
        }
        journal.log(Vec::new()).await;
        if let Some(at) = at.as_mut().filter(|at| at.has_rows && journal.run.ended.is_none()) {
            ctx.rows.put(std::mem::take(&mut at.recorded.rows));
        }
        journal.run.took += started.elapsed();
        journal.run.netbox_requests += ctx.netbox.requests() - sent;
        Performed { journal, at }
    }
    .instrument(span)
    .await
}

/// Records the end of a run in NetBox.
pub(super) async fn record(ctx: &Context, request: &Request<'_>, journal: &mut Journal<'_>) {
    let sent = ctx.netbox.requests();
    ctx.progress.update(|at| at.phase = Phase::Report);
    let whole = matches!(request.scope, Scope::Config);
    report::record(ctx, journal, whole && request.resources == Resource::all()).await;
    journal.run.netbox_requests += ctx.netbox.requests() - sent;
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

pub(super) fn begin(request: &Request<'_>) -> SyncRun {
    let (id, started) = match &request.label {
        Some(label) => (label.run.clone(), label.started),
        None => {
            let now = Timestamp::now();
            (name(now, fastrand::u32(..)), now)
        }
    };
    SyncRun {
        id,
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
        before: Tally::default(),
        note: None,
        arin_requests: 0,
        netbox_requests: 0,
    }
}

/// The name of a run: when it began, and a number that tells it from others that began then.
#[must_use]
pub fn name(started: Timestamp, number: u32) -> String {
    format!("{}-{number:08x}", started.strftime("%Y%m%dT%H%M%SZ"))
}

/// What the asking came to: the recorded objects that are gone, or why it ended early.
type Asked = Result<BTreeSet<(ObjectType, Key)>, Stopped>;

/// What a run works with once NetBox was read and the API key chosen.
pub(super) struct Prepared {
    arin: arin::Client,
    questions: Questions,
    pub(super) recorded: Inventory,
    /// Whether the recorded rows were read. Where nothing that is asked first depends on them, the asking begins before.
    has_rows: bool,
    rules: Rules,
    limits: Limits,
    stamp: Stamp,
    pub(super) registered: Registration,
    /// Why writing came to an end before everything was written.
    hopeless: Option<Arc<netbox::Error>>,
}

impl Prepared {
    fn plan(&self) -> Plan {
        plan(&self.registered, &self.recorded, &self.rules)
    }
}

async fn prepare(ctx: &Context, request: &Request<'_>, run: &mut SyncRun) -> Result<Prepared, Ended> {
    let Request { config, configs, scope, resources, .. } = request;
    ctx.progress.update(|at| at.phase = Phase::Inventory);
    let rir = config.rir.ok_or_else(|| Ended::failed("the config names no RIR; set one in NetBox"))?;
    let known = ctx.rows.take();
    let has_rows = known.is_some() || !asks_first(ctx, request);
    let rows = async {
        match known {
            Some(rows) => Ok(rows),
            None if has_rows => ctx.netbox.recorded().await,
            None => Ok(BTreeMap::new()),
        }
    };
    let read = tokio::try_join!(ctx.netbox.ground(rir, scope), rows);
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
    one_key && matches!(request.scope, Scope::Config | Scope::Head)
}

impl Prepared {
    /// Sees to it that the recorded rows are there. Gives those to ask for if nothing else brings them up.
    async fn take_rows(&mut self, ctx: &Context, request: &Request<'_>) -> Result<Vec<Recorded>, Ended> {
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

/// Asks and writes at the same time: what was learnt is planned and applied while the asking goes on. Rows are marked as
/// not found at the end, when everything is known.
async fn steps(
    ctx: &Context,
    request: &Request<'_>,
    at: &mut Prepared,
    journal: &mut Journal<'_>,
) -> Result<(), Ended> {
    let (out, findings) = mpsc::channel(BACKLOG);
    let (tell, told) = oneshot::channel();
    let (arin, questions) = (at.arin.clone(), at.questions.clone());
    let asking = gather(&questions, &arin, ctx, out, told);
    let writing = async {
        // Who asks and hears no more of it has come to an end before, and says so.
        let _ = tell.send(at.take_rows(ctx, request).await?);
        write_rounds(ctx, at, findings, journal).await;
        Ok(())
    };
    let (asked, written) = tokio::join!(asking, writing);
    journal.run.arin_requests += arin.requests();
    written?;
    let ended = finish(ctx, at, asked, journal).await;
    journal.run.unchanged = unchanged(at, &journal.run);
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
        let why = format!("writing to NetBox came to an end: {}", chain(error));
        return Err(Ended::Failed { why, may_pass: true });
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
                Stopped::Config(_) => Ended::of(&stopped, Retry::Never),
                Stopped::Outage(_) | Stopped::Unheard => Ended::of(&stopped, Retry::Backoff),
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
    let (tell, told) = oneshot::channel();
    let asking = gather(&questions, &arin, ctx, out, told);
    let listening = async {
        let _ = tell.send(at.take_rows(ctx, request).await?);
        while let Some(finding) = findings.recv().await {
            learn(vec![finding], &mut at.registered, run);
        }
        Ok(())
    };
    let (asked, listened) = tokio::join!(asking, listening);
    run.arin_requests = arin.requests();
    listened?;
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
