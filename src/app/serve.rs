//! `rir-sidecar serve` and `rir-sidecar work`: the long-running service.

use std::{process, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Outcome, complain, show, signals::asked_to_end};
use crate::{
    arin,
    config::{Settings, keys::Keyring},
    coordination::Coordination,
    http, netbox,
    queue::Queue,
    scheduler::Scheduler,
    telemetry::metrics::Metrics,
    worker::{Means, SharedRateLimit, Worker},
};

/// How often the keys file is read again.
const KEYS_READ_EVERY: Duration = Duration::from_secs(10);

/// Which parts of the service run in this process.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only take requests; jobs are left to `rir-sidecar work` processes
    #[arg(long)]
    no_worker: bool,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Runs `serve`.
pub(super) async fn serve(args: Args, settings: Settings) -> Outcome {
    if args.no_worker && settings.queue.url.expose_secret().is_empty() {
        show::err(
            "error: without queue.url jobs are kept in this process, so that --no-worker would leave them undone",
        );
        return Outcome::Misused;
    }
    run(settings, Role { api: true, work: !args.no_worker }).await
}

/// Runs `work`.
pub(super) async fn work(settings: Settings) -> Outcome {
    if settings.queue.url.expose_secret().is_empty() {
        show::err("error: queue.url is not set, so that there are no jobs to work off; set it to where Redis is");
        return Outcome::Misused;
    }
    run(settings, Role { api: false, work: true }).await
}

/// What a process does besides telling how it is.
#[derive(Debug, Clone, Copy)]
struct Role {
    api: bool,
    work: bool,
}

async fn run(settings: Settings, role: Role) -> Outcome {
    let patience = settings.worker.shutdown_timeout;
    let shutdown = CancellationToken::new();
    let mut tasks = match start(settings, role, &shutdown).await {
        Ok(tasks) => tasks,
        Err(error) => return complain(&*error, Outcome::Failed),
    };
    let outcome = tokio::select! {
        true = asked_to_end() => {
            info!("shutting down");
            Outcome::Done
        }
        // Nothing ends by itself while it is well.
        _ = tasks.join_next() => {
            error!("a part of the service ended; shutting down");
            Outcome::Failed
        }
    };
    shutdown.cancel();
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        ended = timeout(patience, all) => if ended.is_err() {
            warn!("not everything ended in time; leaving it");
        },
        true = asked_to_end() => warn!("leaving at once"),
    }
    outcome
}

/// Starts what is to run in this process.
async fn start(settings: Settings, role: Role, shutdown: &CancellationToken) -> Result<JoinSet<()>, Failed> {
    let (name, metrics) = (name(), Arc::new(Metrics::default()));
    // First of all, so that a second process by mistake does not take part in anything.
    let listen = settings.http.listen;
    let listener = TcpListener::bind(listen).await.map_err(|source| CannotListen { listen, source })?;
    let queue = Queue::open(&settings.queue).await?;
    let coordination = Coordination::open(&settings.queue).await?;
    if let Queue::Memory(_) = queue {
        warn!(
            "queue.url is not set: jobs are kept in this process, a restart loses them, and there can be no second replica"
        );
    }
    let mut tasks = JoinSet::new();
    let keys = follow_keys(&settings, &mut tasks, shutdown)?;
    let limit = Arc::new(SharedRateLimit::new(coordination.clone(), &name));
    let arin = arin::Pool::new(&settings.arin)?.sharing(limit.clone(), Arc::clone(&metrics));
    let netbox = netbox::Client::new(&settings.netbox)?.measured(Arc::clone(&metrics));
    let means = Means { netbox, arin, keys, settings: Arc::new(settings), metrics };
    let end = shutdown.clone();
    tasks.spawn(async move { limit.register_presence(end).await });
    if role.work {
        tasks.spawn(Worker::new(queue.clone(), means.clone(), &name).run(shutdown.clone()));
    }
    let (settings, metrics) = (Arc::clone(&means.settings), Arc::clone(&means.metrics));
    let scheduler = Scheduler::new(queue.clone(), coordination.clone(), means.netbox.clone(), settings, metrics, &name);
    tasks.spawn(scheduler.run(shutdown.clone()));
    info!("listening on http://{listen}");
    let app = http_app(queue, coordination, means, shutdown);
    let router = if role.api { http::router(app) } else { http::health_router(app) };
    tasks.spawn(http::serve(router, listener, shutdown.clone()));
    info!(name, "started");
    Ok(tasks)
}

/// What the HTTP interface works with.
fn http_app(queue: Queue, coordination: Coordination, means: Means, shutdown: &CancellationToken) -> http::App {
    let previews = means.clone();
    http::App::new(http::Parts {
        settings: means.settings,
        queue,
        coordination,
        netbox: means.netbox,
        keys: means.keys,
        contexts: Arc::new(move || previews.context(CancellationToken::new())),
        metrics: means.metrics,
        stop: shutdown.clone(),
    })
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen} (http.listen)")]
struct CannotListen {
    listen: std::net::SocketAddr,
    source: std::io::Error,
}

/// A name that no other process has or ever had, and that says which machine it is.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "somewhere".into());
    format!("{}-{}-{:08x}", host.trim(), process::id(), fastrand::u32(..))
}

/// Reads the keys file, and again and again while the process runs, as keys are added to it.
fn follow_keys(
    settings: &Settings,
    tasks: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) -> Result<watch::Receiver<Keyring>, Failed> {
    let Some(path) = settings.keys.file.clone() else {
        warn!("keys.file is not set: without ARIN API keys every sync fails");
        return Ok(watch::channel(Keyring::default()).1);
    };
    let (sender, keys) = watch::channel(Keyring::load(&path)?);
    let end = shutdown.clone();
    tasks.spawn(async move {
        let mut well = true;
        while timeout(KEYS_READ_EVERY, end.cancelled()).await.is_err() {
            match Keyring::load(&path) {
                Ok(keys) => {
                    sender.send_replace(keys);
                    well = true;
                }
                Err(error) if well => {
                    error!(
                        error = &error as &dyn std::error::Error,
                        "cannot read the keys file any more; going on with the keys as they were"
                    );
                    well = false;
                }
                Err(_) => {}
            }
        }
    });
    Ok(keys)
}
