//! `rir-sidecar sync`: syncs configs, or shows what a sync would write.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::{
    by_hand::{ByHand, Turn},
    exit::ExitStatus,
    output::{self, Format},
    progress_bar::ProgressBar,
    services::{services, stop_on_signal},
};
use crate::{
    config::Settings,
    coordination::Coordination,
    error_chain::error_chain,
    findings::Refreshed,
    model::{Config, PlanDigest, Resource, RowId, Scope},
    netbox, queue,
    sync::{
        Approved, Context, NoCheckpoint, Request, Requester, SyncRun, Verdict,
        json::{self, RunView},
        preview, run as sync_run,
    },
    worker::{Subject, refresh_findings},
};

/// What to do when Redis does not tell whose turn it is.
const WITHOUT_QUEUE: &str = "Only Redis can tell that no job of the service syncs the same RIR config. If no service runs, sync \
                             without it: RIR_SIDECAR__QUEUE__URL= rir-sidecar sync ...";

/// The configs to sync, and the form of the output.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    target: Target,
    /// Only these kinds of registrations: organizations, contacts, networks [default: all]
    #[arg(long, value_parser = resource, num_args = 1.., value_name = "KIND", conflicts_with_all = ["aggregate", "prefix"])]
    resource: Vec<Resource>,
    /// Use the API key of this NetBox user, and no other [default: the one used last, else the first]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Ask ARIN and show what would be written, but write nothing
    #[arg(long)]
    plan_only: bool,
    /// Write only what `--plan-only` showed with this digest, and nothing if something else would be written now; for one
    /// RIR config
    #[arg(long, value_name = "DIGEST", value_parser = digest, conflicts_with = "plan_only")]
    plan: Option<PlanDigest>,
    /// Ask ARIN for everything, instead of only for what its public listing shows as changed; with `--plan`, if
    /// `--plan-only` was asked with it
    #[arg(long)]
    full: bool,
    /// Share of a config's rows (0 to 1) that may be marked as not found within a day, instead of sync.max_retired_share
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_retired_share: Option<f64>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Sync the RIR configs of these names, active or not
    #[arg(long, num_args = 1.., value_name = "NAME")]
    config_name: Vec<String>,
    /// Sync all active RIR configs
    #[arg(long)]
    all: bool,
    /// Sync one aggregate and the prefixes inside it, by its id in NetBox
    #[arg(long, value_name = "ID")]
    aggregate: Option<u64>,
    /// Sync one prefix, by its id in NetBox
    #[arg(long, value_name = "ID")]
    prefix: Option<u64>,
}

impl Args {
    /// Returns the order for a config, for all of it.
    fn request<'a>(&'a self, config: &'a Config, configs: &'a [Config]) -> Request<'a> {
        let Self { resource, user, plan, full, .. } = self;
        let resources = if resource.is_empty() { Resource::all() } else { resource.iter().copied().collect() };
        let requester = user.as_deref().map_or(Requester::Automatic, Requester::User);
        let approved = plan.clone().map(|digest| Approved { digest, rows: None });
        Request { resources, full: *full, requester, approved, ..Request::of(config, configs) }
    }
}

fn resource(text: &str) -> Result<Resource, String> {
    let known = Resource::all().into_iter().find(|resource| resource.name() == text);
    known.ok_or_else(|| "write organizations, contacts or networks".to_owned())
}

fn digest(text: &str) -> Result<PlanDigest, String> {
    PlanDigest::parse(text).ok_or_else(|| "a digest is sha256- and 64 hex digits, as `--plan-only` shows it".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "write a share such as 0.35".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("write a share between 0 and 1, such as 0.35".into()) }
}

pub(super) async fn run(args: Args, mut settings: Settings) -> ExitStatus {
    if let Some(share) = args.max_retired_share {
        settings.sync.max_retired_share = share;
    }
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone());
    let (services, by_hand) = match services(settings, &stop).await {
        Ok(made) => made,
        Err(error) => return ExitStatus::Misused.because(&*error),
    };
    // A preview writes nothing, and so need not wait for anybody.
    let (ctx, by_hand) = (services.context(stop), by_hand.filter(|_| !args.plan_only));
    let configs = match ctx.netbox.configs().await {
        Ok(configs) => configs,
        Err(error) if error.is_not_found() => {
            let status = ExitStatus::failed(error.retry()).because(&error);
            output::err("NetBox has no RIR configs yet: run `rir-sidecar bootstrap` first");
            return status;
        }
        Err(error) => return ExitStatus::failed(error.retry()).because(&error),
    };
    let (chosen, scope) = match choose(&args.target, &configs, &ctx).await {
        Ok(chosen) => chosen,
        Err((sentence, status)) => {
            output::err(&sentence);
            return status;
        }
    };
    if args.plan.is_some() && chosen.len() > 1 {
        output::err("error: --plan is for one RIR config, and several are meant; name one with --config-name");
        return ExitStatus::Misused;
    }
    let syncs = Syncs { args: &args, ctx: &ctx, configs: &configs, by_hand, coordination: &services.coordination };
    let (done, status) = syncs.all(&chosen, &scope).await;
    let status = status.max(exit_status(done.iter().map(RunView::result), &ctx.stop));
    if args.output == Format::Json {
        match json::Document::new(done).text() {
            Ok(text) => output::out(&text),
            Err(error) => return ExitStatus::Failed.because(&error),
        }
    }
    status
}

type Chosen<'a> = (Vec<&'a Config>, Scope);

/// Finds the configs that are meant, and the part of them.
async fn choose<'a>(target: &Target, configs: &'a [Config], ctx: &Context) -> Result<Chosen<'a>, (String, ExitStatus)> {
    if let Some(id) = target.aggregate.map(RowId) {
        let rir = ctx.netbox.rir_of_aggregate(id).await.map_err(unanswered)?;
        let rir = rir.ok_or_else(|| (format!("NetBox has no aggregate with id {id}"), ExitStatus::Misused))?;
        return Ok((of_rir(configs, rir)?, Scope::Aggregate(id)));
    }
    if let Some(id) = target.prefix.map(RowId) {
        let rir = ctx.netbox.rir_of_prefix(id).await.map_err(unanswered)?;
        let none = || (format!("NetBox has no prefix with id {id}, or no aggregate around it"), ExitStatus::Misused);
        return Ok((of_rir(configs, rir.ok_or_else(none)?)?, Scope::Prefixes(BTreeSet::from([id]))));
    }
    if target.all {
        let active: Vec<_> = configs.iter().filter(|config| config.is_active).collect();
        if active.is_empty() {
            return Err(("NetBox has no active RIR config, so there is nothing to sync".into(), ExitStatus::Done));
        }
        return Ok((active, Scope::Config));
    }
    let named = |name: &String| {
        configs.iter().find(|config| config.name == *name).ok_or_else(|| {
            let known: Vec<&str> = configs.iter().map(|config| config.name.as_str()).collect();
            (format!("NetBox has no RIR config {name:?}; it has {known:?}"), ExitStatus::Misused)
        })
    };
    Ok((target.config_name.iter().map(named).collect::<Result<_, _>>()?, Scope::Config))
}

/// Says what NetBox did not answer.
fn unanswered(error: netbox::Error) -> (String, ExitStatus) {
    (error_chain(&error), ExitStatus::failed(error.retry()))
}

fn of_rir(configs: &[Config], rir: RowId) -> Result<Vec<&Config>, (String, ExitStatus)> {
    let ours: Vec<_> = configs.iter().filter(|config| config.serves(rir)).collect();
    if ours.is_empty() {
        return Err(("no active RIR config in NetBox is for this RIR".into(), ExitStatus::Misused));
    }
    Ok(ours)
}

/// The syncs of one command.
struct Syncs<'a> {
    args: &'a Args,
    ctx: &'a Context,
    configs: &'a [Config],
    by_hand: Option<ByHand>,
    coordination: &'a Coordination,
}

impl Syncs<'_> {
    /// Syncs one config after the other; one that fails does not keep the next from being synced. The status tells of what
    /// kept one from being begun.
    async fn all(&self, chosen: &[&Config], scope: &Scope) -> (Vec<RunView>, ExitStatus) {
        let mut done = Vec::new();
        self.ctx.progress.update(|at| at.configs.total = chosen.len() as u64);
        for config in chosen {
            if self.ctx.stop.is_cancelled() {
                break;
            }
            let turn = match self.turn(config).await {
                Ok(Some(turn)) => turn,
                Ok(None) => break,
                Err(error) => {
                    let status = ExitStatus::failed(error.retry()).because(&error);
                    output::err(WITHOUT_QUEUE);
                    return (done, status);
                }
            };
            done.push(self.one(config, scope, turn.stop()).await);
            turn.end().await;
        }
        (done, ExitStatus::Done)
    }

    /// Waits for the turn of a config; `None` when somebody asked to stop meanwhile.
    async fn turn(&self, config: &Config) -> Result<Option<Turn>, queue::Error> {
        match &self.by_hand {
            Some(by_hand) => by_hand.turn(config, &self.ctx.stop).await,
            None => Ok(Some(Turn::of_nobody_else(&self.ctx.stop))),
        }
    }

    async fn one(&self, config: &Config, scope: &Scope, stop: &CancellationToken) -> RunView {
        let ctx = Context { stop: stop.clone(), ..self.ctx.clone() };
        let Args { plan_only, output, .. } = self.args;
        let request = Request { scope: scope.clone(), ..self.args.request(config, self.configs) };
        ctx.progress.update(|at| at.begin(&config.name));
        let text = *output == Format::Text;
        let bar = text.then(|| ProgressBar::begin(&ctx.progress));
        let (view, shown) = if *plan_only {
            let preview = preview(&ctx, &request).await;
            let view = RunView::of_preview(&preview);
            if text { (view, output::preview(&preview)) } else { (view.with_changes(&preview), String::new()) }
        } else {
            let run = sync_run(&ctx, &request, &NoCheckpoint).await;
            let findings = self.findings(&ctx, &request, &run).await;
            if let (false, Some(Err(why))) = (text, &findings) {
                output::err(&format!("warning: the findings were not refreshed: {why}"));
            }
            let line = findings.map(|told| told.unwrap_or_else(|why| format!("Findings: not refreshed: {why}")));
            (RunView::of_run(&run), format!("{}\n{}", output::run(&run), line.unwrap_or_default()))
        };
        ctx.progress.update(|at| at.configs.done += 1);
        if let Some(bar) = bar {
            bar.end(&ctx.progress).await;
            output::out(&shown);
        }
        view
    }

    /// Judges what a run has touched, and says in a line what came of it or why nothing did; `None` after a run that leaves
    /// everything as it was.
    async fn findings(&self, ctx: &Context, request: &Request<'_>, run: &SyncRun) -> Option<Result<String, String>> {
        if run.difference().is_some() || run.verdict() == Verdict::Interrupted {
            return None;
        }
        let (config, configs) = (request.config, request.configs);
        let subject = Subject { config, configs, scope: &request.scope, run: &run.id };
        let refreshed = refresh_findings(ctx, self.coordination, subject).await;
        Some(refreshed.map(findings_line).map_err(|error| error_chain(&error)))
    }
}

/// Returns the line about the findings after a sync.
pub(super) fn findings_line(refreshed: Option<Refreshed>) -> String {
    match refreshed {
        Some(refreshed) => format!("Findings: {}", refreshed.tally),
        None => "Findings: none are made of this RIR config, as it is not active".to_owned(),
    }
}

/// Returns how the command ends: a config that failed weighs more than objects that did.
fn exit_status(verdicts: impl Iterator<Item = Verdict>, stop: &CancellationToken) -> ExitStatus {
    let worst = verdicts.map(|verdict| match verdict {
        Verdict::Unchanged | Verdict::Changed => ExitStatus::Done,
        Verdict::Partial => ExitStatus::SomeFailed,
        Verdict::Refused | Verdict::Failed => ExitStatus::Failed,
        Verdict::Interrupted => ExitStatus::Interrupted,
    });
    let worst = worst.max().unwrap_or(ExitStatus::Done);
    if stop.is_cancelled() { ExitStatus::Interrupted } else { worst }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn asks_for_everything(arguments: &[&str]) -> bool {
        let Command { args } = Command::parse_from([&["sync"], arguments].concat());
        let config = Config::new(RowId(1), "ours");
        args.request(&config, std::slice::from_ref(&config)).full
    }

    #[test]
    fn everything_is_asked_for_only_where_it_is_said_whatever_is_synced() {
        let digest = format!("sha256-{}", "0a".repeat(32));
        for scope in [&["--all"][..], &["--config-name", "ours"], &["--aggregate", "1"], &["--prefix", "1"]] {
            for way in [&[][..], &["--plan-only"], &["--plan", &digest]] {
                let arguments = [scope, way].concat();
                assert!(!asks_for_everything(&arguments), "{arguments:?}");
                assert!(asks_for_everything(&[&arguments[..], &["--full"]].concat()), "{arguments:?}");
            }
        }
    }
}
