//! The flow of one run.

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{Instrument, Span, info_span};

use super::{
    Context, Plan, Refused, Request, Rows,
    apply::apply,
    gather::{Finding, Stopped, gather},
    outcome::{Ended, SyncRun},
    prepare::{Prepared, prepare},
    progress::Phase,
    report::{self, Journal},
};
use crate::{
    error_chain::error_chain,
    model::{Key, ObjectType, Registration, Resource, Scope},
    retry::Retry,
};

/// Writing begins when so much time has passed since the first thing was learnt, however little there is to write.
const PATIENCE: Duration = Duration::from_secs(2);
/// Things learnt and not yet taken up. More make the asking wait for the writing.
const BACKLOG: usize = 4096;

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
    let run = request.begin();
    let (config, id, span) = (run.config_id, run.id.clone(), span(&run));
    async {
        let mut journal = perform(ctx, request, run, None).await.journal;
        // Old rows are removed by the syncs of whole configs, so that a webhook costs no request for it.
        let prune = async {
            if request.scope == Scope::Config {
                report::prune(ctx, config, &id).await;
            }
        };
        tokio::join!(record(ctx, request, &mut journal), prune);
        journal.run
    }
    .instrument(span)
    .await
}

/// The span of a run, or of a part of one.
pub(super) fn span(run: &SyncRun) -> Span {
    info_span!("sync", run = %run.id, config = %run.config)
}

/// What was done, before it is recorded.
pub(super) struct Performed<'a> {
    pub(super) journal: Journal<'a>,
    /// What it was done with; `None` when it did not come to that.
    pub(super) at: Option<Prepared>,
}

impl Performed<'_> {
    /// What NetBox has recorded now, where all of it is known.
    pub(super) fn take_rows(&mut self) -> Option<Rows> {
        let well = self.journal.run.ended.is_none();
        self.at.as_mut().filter(|at| well && at.has_rows).map(|at| std::mem::take(&mut at.recorded.rows))
    }
}

/// Does what is asked inside the [`span`] of the run, as far as it goes. `rows` are the recorded rows, if they are known because nobody wrote since.
pub(super) async fn perform<'a>(
    ctx: &'a Context,
    request: &Request<'_>,
    run: SyncRun,
    rows: Option<Rows>,
) -> Performed<'a> {
    let part = request.label.as_ref().map_or_else(|| run.id.clone(), |label| format!("{}:{}", run.id, label.part));
    let mut journal = Journal::new(ctx, part, run);
    let (sent, started) = (ctx.netbox.requests(), Instant::now());
    let mut at = None;
    match prepare(ctx, request, rows, &mut journal.run).await {
        Ok(prepared) => {
            let prepared = at.insert(prepared);
            if let Err(ended) = steps(ctx, request, prepared, &mut journal).await {
                journal.run.ended = Some(ended);
            }
        }
        Err(ended) => journal.run.ended = Some(ended),
    }
    journal.note(Vec::new());
    // Parts that are recorded write the rest of their rows together with the last one.
    if matches!(request.scope, Scope::Head | Scope::Inside { .. }) {
        journal.flush().await;
    }
    journal.run.took += started.elapsed();
    journal.run.netbox_requests += ctx.netbox.requests() - sent;
    Performed { journal, at }
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
    let mut run = request.begin();
    let (sent, started) = (ctx.netbox.requests(), Instant::now());
    let span = span(&run);
    let planned = plan_only(ctx, request, &mut run).instrument(span).await;
    let plan = planned.unwrap_or_else(|ended| {
        run.ended = Some(ended);
        Plan::default()
    });
    run.took = started.elapsed();
    run.netbox_requests = ctx.netbox.requests() - sent;
    Preview { plan, run }
}

/// What the asking came to: the recorded objects that are gone, or why it ended early.
type Asked = Result<BTreeSet<(ObjectType, Key)>, Stopped>;

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
    loop {
        // While more is asked there is time to log; the rows of the last round go out with the one that sums up.
        let more = !findings.is_closed();
        let log = async {
            if more {
                journal.flush().await;
            }
        };
        let (round, ()) = tokio::join!(next_round(&mut findings, enough), log);
        let Some(round) = round else { return };
        if ctx.stop.is_cancelled() || at.hopeless.is_some() {
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

/// Applies a plan, and notes it.
async fn write(ctx: &Context, at: &mut Prepared, plan: Plan, journal: &mut Journal<'_>) {
    at.hopeless = apply(plan, &mut at.recorded, &mut at.rules, ctx, &at.stamp, journal).await;
}

/// Marks what the RIR does not have any more, within the limits; or says why the run ended early.
async fn finish(ctx: &Context, at: &mut Prepared, asked: Asked, journal: &mut Journal<'_>) -> Result<(), Ended> {
    let ended = close(at, asked);
    if ctx.stop.is_cancelled() {
        return Err(Ended::Interrupted);
    }
    if let Some(error) = &at.hopeless {
        let why = format!("writing to NetBox came to an end: {}", error_chain(error));
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
    let mut at = prepare(ctx, request, None, run).await?;
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
