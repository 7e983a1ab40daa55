//! `rir-sidecar sync`

use std::collections::BTreeSet;

use super::{Outcome, Output, complain, context, show, signals::asked_to_end, watch::Watch};
use crate::{
    config::Settings,
    error_chain::error_chain,
    model::{Config, Resource, RowId, Scope},
    sync::{Context, NoCheckpoint, Plan, Request, Requester, SyncRun, Verdict, json, preview, run as sync_run},
};
use tokio_util::sync::CancellationToken;

/// What to sync and how to show it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    /// Only these kinds of registrations [default: all]
    #[arg(long, value_enum, num_args = 1.., value_name = "KIND", conflicts_with_all = ["aggregate", "prefix"])]
    resource: Vec<Resource>,
    /// Use the API key of this NetBox user, and no other [default: the one used last, else the first]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Ask ARIN and show what would be written, but write nothing
    #[arg(long)]
    plan_only: bool,
    /// Share of a config's rows (0 to 1) that this run may mark as not found, instead of sync.max_retired_share
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_retired_share: Option<f64>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
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

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "write a share such as 0.35".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("write a share between 0 and 1, such as 0.35".into()) }
}

/// Runs the command.
pub(super) async fn run(args: Args, mut settings: Settings) -> Outcome {
    if let Some(share) = args.max_retired_share {
        settings.sync.max_retired_share = share;
    }
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone());
    let ctx = match context(settings, stop) {
        Ok(ctx) => ctx,
        Err(error) => return complain(&*error, Outcome::Misused),
    };
    let configs = match ctx.netbox.configs().await {
        Ok(configs) => configs,
        Err(error) if error.is_not_found() => {
            let outcome = complain(&error, Outcome::Failed);
            show::err("NetBox has no RIR configs yet: run `rir-sidecar bootstrap` first");
            return outcome;
        }
        Err(error) => return complain(&error, Outcome::Failed),
    };
    let (chosen, scope) = match choose(&args.what, &configs, &ctx).await {
        Ok(chosen) => chosen,
        Err((sentence, outcome)) => {
            show::err(&sentence);
            return outcome;
        }
    };
    let done = sync_all(&args, &ctx, &configs, &chosen, scope).await;
    if args.output == Output::Json {
        match json::Document::new(done.iter().map(|(run, plan)| (run, plan.as_ref()))).text() {
            Ok(text) => show::out(&text),
            Err(error) => return complain(&error, Outcome::Failed),
        }
    }
    outcome(done.iter().map(|(run, _)| run.verdict()), &ctx.stop)
}

/// Finishes what is under way when somebody asks to stop; the second time the process ends at once.
fn stop_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        while asked_to_end().await {
            if stop.is_cancelled() {
                // The run is lost, but nothing that the next one does not repair.
                show::err("stopped at once");
                end_process();
            }
            stop.cancel();
            show::err("finishing what is under way; once more to stop at once");
        }
    });
}

#[expect(clippy::exit, reason = "the second request to stop does not wait for anything")]
fn end_process() -> ! {
    std::process::exit(130)
}

type Chosen<'a> = (Vec<&'a Config>, Scope);

/// Which configs are meant, and which part of them.
async fn choose<'a>(what: &What, configs: &'a [Config], ctx: &Context) -> Result<Chosen<'a>, (String, Outcome)> {
    if let Some(id) = what.aggregate.map(RowId) {
        let rir = ctx.netbox.rir_of_aggregate(id).await.map_err(|error| (error_chain(&error), Outcome::Failed))?;
        let rir = rir.ok_or_else(|| (format!("NetBox has no aggregate with id {id}"), Outcome::Misused))?;
        return Ok((of_rir(configs, rir)?, Scope::Aggregate(id)));
    }
    if let Some(id) = what.prefix.map(RowId) {
        let rir = ctx.netbox.rir_of_prefix(id).await.map_err(|error| (error_chain(&error), Outcome::Failed))?;
        let none = || (format!("NetBox has no prefix with id {id}, or no aggregate around it"), Outcome::Misused);
        return Ok((of_rir(configs, rir.ok_or_else(none)?)?, Scope::Prefixes(BTreeSet::from([id]))));
    }
    if what.all {
        let active: Vec<_> = configs.iter().filter(|config| config.is_active).collect();
        if active.is_empty() {
            return Err(("NetBox has no active RIR config, so there is nothing to sync".into(), Outcome::Done));
        }
        return Ok((active, Scope::Config));
    }
    let named = |name: &String| {
        configs.iter().find(|config| config.name == *name).ok_or_else(|| {
            let known: Vec<&str> = configs.iter().map(|config| config.name.as_str()).collect();
            (format!("NetBox has no RIR config {name:?}; it has {known:?}"), Outcome::Misused)
        })
    };
    Ok((what.config_name.iter().map(named).collect::<Result<_, _>>()?, Scope::Config))
}

fn of_rir(configs: &[Config], rir: RowId) -> Result<Vec<&Config>, (String, Outcome)> {
    let ours: Vec<_> = configs.iter().filter(|config| config.serves(rir)).collect();
    if ours.is_empty() {
        return Err(("no active RIR config in NetBox is for this RIR".into(), Outcome::Misused));
    }
    Ok(ours)
}

/// Syncs one config after the other; what one does is no concern of the next.
async fn sync_all(
    args: &Args,
    ctx: &Context,
    configs: &[Config],
    chosen: &[&Config],
    scope: Scope,
) -> Vec<(SyncRun, Option<Plan>)> {
    let resources: BTreeSet<Resource> =
        if args.resource.is_empty() { Resource::all() } else { args.resource.iter().copied().collect() };
    let text = args.output == Output::Text;
    let mut done = Vec::new();
    ctx.progress.update(|at| at.configs.total = chosen.len() as u64);
    for config in chosen {
        if ctx.stop.is_cancelled() {
            break;
        }
        let requester = args.user.as_deref().map_or(Requester::Automatic, Requester::User);
        let (scope, resources) = (scope.clone(), resources.clone());
        let request = Request { scope, resources, requester, ..Request::of(config, configs) };
        ctx.progress.update(|at| at.begin(&config.name));
        let watch = text.then(|| Watch::begin(&ctx.progress));
        let (run, plan) = if args.plan_only {
            let preview = preview(ctx, &request).await;
            (preview.run, Some(preview.plan))
        } else {
            (sync_run(ctx, &request, &NoCheckpoint).await, None)
        };
        ctx.progress.update(|at| at.configs.done += 1);
        if let Some(watch) = watch {
            watch.end(&ctx.progress).await;
            show::out(&shown(&run, plan.as_ref()));
        }
        done.push((run, plan));
    }
    done
}

fn shown(run: &SyncRun, plan: Option<&Plan>) -> String {
    match plan {
        Some(plan) => show::preview(run, plan),
        None => show::run(run),
    }
}

/// The exit code: a config that failed weighs most, then objects that did.
fn outcome(verdicts: impl Iterator<Item = Verdict>, stop: &CancellationToken) -> Outcome {
    let worst = verdicts.map(|verdict| match verdict {
        Verdict::Unchanged | Verdict::Changed => Outcome::Done,
        Verdict::Partial => Outcome::SomeFailed,
        Verdict::Refused | Verdict::Failed => Outcome::Failed,
        Verdict::Interrupted => Outcome::Interrupted,
    });
    let worst = worst.max().unwrap_or(Outcome::Done);
    if stop.is_cancelled() { Outcome::Interrupted } else { worst }
}
