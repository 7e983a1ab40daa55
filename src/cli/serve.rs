//! `rir-sidecar serve` and `rir-sidecar work`: the long-running service.

use std::{io, net::SocketAddr, pin::pin, sync::Arc};

use axum::Router;
use parking_lot::Mutex;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    exit::ExitStatus, fitness, followed_files::FollowedFiles, output, process_name::process_name, signals::asked_to_end,
};
use crate::{
    config::{Settings, keys::InvalidKeys},
    coordination::Coordination,
    error_chain::error_chain,
    http,
    netbox::{
        self,
        schema::{self, Document, Workers},
    },
    queue::{self, Queue},
    scheduler::Scheduler,
    services::{self, Services},
    supervise::keep_running,
    telemetry::metrics::{Metrics, Part},
    worker::{JobThreads, SharedRateLimit, Worker},
};

/// The parts of the service that run in this process.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only take requests; jobs are left to `rir-sidecar work` processes
    #[arg(long)]
    no_worker: bool,
}

/// Runs `serve`.
pub(super) async fn serve(args: Args, settings: Settings) -> ExitStatus {
    if args.no_worker && settings.queue.url.is_empty() {
        output::err(
            "error: without queue.url jobs are kept in this process, so that --no-worker would leave them undone",
        );
        return ExitStatus::Misused;
    }
    run(settings, Role { api: true, work: !args.no_worker }).await
}

/// Runs `work`.
pub(super) async fn work(settings: Settings) -> ExitStatus {
    if settings.queue.url.is_empty() {
        output::err("error: queue.url is not set, so that there are no jobs to work off; set it to where Redis is");
        return ExitStatus::Misused;
    }
    run(settings, Role { api: false, work: true }).await
}

/// The work of a process besides its health and metrics.
#[derive(Debug, Clone, Copy)]
struct Role {
    api: bool,
    work: bool,
}

async fn run(settings: Settings, role: Role) -> ExitStatus {
    let shutdown_timeout = settings.worker.shutdown_timeout;
    let shutdown = CancellationToken::new();
    let mut asked = pin!(asked_to_end());
    let started = tokio::select! {
        started = start(settings, role, &shutdown) => started,
        true = &mut asked => return ExitStatus::Done,
    };
    let mut tasks = match started {
        Ok(tasks) => tasks,
        Err(error) => return error.status().because(&error),
    };
    let status = tokio::select! {
        true = &mut asked => {
            info!("shutting down");
            ExitStatus::Done
        }
        // No part ends by itself while all is well.
        _ = tasks.join_next() => {
            error!("a part of the service ended; shutting down");
            ExitStatus::Failed
        }
    };
    let asked_again = asked_to_end();
    shutdown.cancel();
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        ended = timeout(shutdown_timeout, all) => if ended.is_err() {
            warn!("not everything ended in time; leaving it");
        },
        true = asked_again => warn!("leaving at once"),
    }
    status
}

/// Starts the parts that run in this process.
async fn start(settings: Settings, role: Role, shutdown: &CancellationToken) -> Result<JoinSet<()>, CannotStart> {
    let name = process_name();
    // First of all, so that a second process that was started by mistake takes part in nothing.
    let listen = settings.http.listen;
    let listener = http::listen(listen).map_err(|source| CannotStart::Listen { listen, source })?;
    let listen = listener.local_addr().unwrap_or(listen);
    let is_known = fitness::is_known(&settings).await?;
    let queue = Queue::open(&settings.queue).await?;
    let coordination = Coordination::open(&settings.queue).await?;
    if let Queue::Memory(_) = queue {
        warn!(
            "queue.url is not set: jobs are kept in this process, a restart loses them, and there can be no second replica"
        );
    }
    if settings.keys.file.is_none() {
        warn!("keys.file is not set: without ARIN API keys every sync fails");
    }
    let (files, keys) = FollowedFiles::of(&settings)?;
    let files = Arc::new(tokio::sync::Mutex::new(files));
    let limit = Arc::new(SharedRateLimit::new(coordination.clone(), &name));
    let services = Services::for_replicas(settings, (queue, coordination), Arc::clone(&limit) as _, keys)?;
    let mut parts = Parts { tasks: JoinSet::new(), metrics: Arc::clone(&services.metrics), stop: shutdown.clone() };
    parts.start(Part::Keys, move |stop| {
        let files = Arc::clone(&files);
        async move { files.lock().await.follow(stop).await }
    });
    if !is_known {
        parts.tasks.spawn(fitness::unfit_later(Arc::clone(&services.settings), shutdown.clone()));
    }
    tokio::spawn(try_token(services.netbox.clone()));
    parts.start(Part::Presence, move |stop| Arc::clone(&limit).register_presence(stop));
    let (of_worker, of_scheduler) = ((services.clone(), name.clone()), (services.clone(), name.clone()));
    if role.work {
        tokio::spawn(try_workers(services.netbox.clone(), services.coordination.clone()));
        let threads = JobThreads::start().map_err(CannotStart::Threads)?;
        let (services, name) = of_worker;
        // One that is begun anew still knows what it holds.
        let worker = Worker::new(services, &name, threads.handle());
        parts.start(Part::Worker, move |stop| {
            // The threads go with the part.
            let _threads = &threads;
            worker.clone().run(stop)
        });
    }
    parts.start(Part::Scheduler, move |stop| Scheduler::new(of_scheduler.0.clone(), &of_scheduler.1).run(stop));
    info!("listening on http://{listen}");
    let router = if role.api { http::router } else { http::health_router };
    let router = router(services.clone(), shutdown.clone());
    let listener = Mutex::new(Some(listener));
    parts.start(Part::Http, move |stop| {
        take_requests(router.clone(), listener.lock().take().ok_or(listen), services.clone(), stop)
    });
    info!(name, "started");
    Ok(parts.tasks)
}

/// The parts of the service. A panic of one does not end it.
struct Parts {
    tasks: JoinSet<()>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Parts {
    /// Starts a part, and starts it anew whenever it breaks.
    fn start<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        part: Part,
        begin: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) {
        let (metrics, stop) = (Arc::clone(&self.metrics), self.stop.clone());
        self.tasks.spawn(async move { keep_running(&metrics, part, &stop, || begin(stop.clone())).await });
    }
}

/// Takes requests from a listener, or from a new one at its address in the place of one that is gone.
async fn take_requests(
    router: Router,
    listener: Result<TcpListener, SocketAddr>,
    services: Services,
    stop: CancellationToken,
) {
    let listener = match listener {
        Ok(listener) => Ok(listener),
        Err(listen) => http::listen(listen),
    };
    match listener {
        Ok(listener) => http::serve(router, listener, &services, stop).await,
        Err(error) => error!(error = %error_chain(&error), "cannot listen on the address any more (http.listen)"),
    }
}

/// The reasons for which the service does not start.
#[derive(Debug, thiserror::Error)]
enum CannotStart {
    #[error("cannot listen on {listen} (http.listen)")]
    Listen { listen: SocketAddr, source: io::Error },
    #[error(transparent)]
    Redis(#[from] fitness::Unfit),
    #[error(transparent)]
    Queue(#[from] queue::Error),
    #[error(transparent)]
    Keys(#[from] InvalidKeys),
    #[error(transparent)]
    Services(#[from] services::Error),
    #[error("the system has no threads for jobs")]
    Threads(#[source] io::Error),
}

impl CannotStart {
    /// Returns how the command ends. Whoever starts it again and again need not do so after what only a person mends.
    fn status(&self) -> ExitStatus {
        match self {
            Self::Listen { .. } | Self::Threads(_) => ExitStatus::Failed,
            // Opening the queue asks Redis nothing, so that it is the address that cannot be used.
            Self::Redis(_) | Self::Queue(_) | Self::Keys(_) | Self::Services(_) => ExitStatus::Misused,
        }
    }
}

/// Says at once what NetBox thinks of the token, rather than with the first job. Whether NetBox answers at all is what
/// readiness is for.
async fn try_token(netbox: netbox::Client) {
    match netbox.token_may_write().await {
        Ok(Some(false)) => error!("NetBox lets the token of rir-sidecar only read: switch on \"Write enabled\" for it"),
        Ok(Some(true) | None) => {}
        Err(error) if error.is_forbidden() => {
            error!(error = %error_chain(&error), "NetBox does not take the token of rir-sidecar");
        }
        Err(_) => {}
    }
}

/// The cursor that says with which version of the types NetBox's workers were last found to be up to date.
const WORKERS_CURSOR: &str = "netbox-workers";

/// Has NetBox's web workers asked once after the types were changed. What `bootstrap` says about them nobody sees where it
/// is a job that succeeded.
async fn try_workers(netbox: netbox::Client, coordination: Coordination) {
    let types = Document::current();
    if matches!(coordination.cursor(WORKERS_CURSOR).await, Ok(Some(version)) if version == types.version()) {
        return;
    }
    match schema::renew_workers(&netbox, types).await {
        Ok(Workers::Current) => {
            // One that is not remembered is asked again at the next start.
            let _ = coordination.set_cursor(WORKERS_CURSOR, types.version()).await;
        }
        Ok(Workers::Stale(what)) => error!(
            "one of NetBox's web workers has an older form of a type ({what}): run `rir-sidecar bootstrap`; if it has run, \
             restart NetBox's web workers (systemctl restart netbox, or the container)"
        ),
        Err(error) => debug!(error = %error_chain(&error), "NetBox's web workers do not say which types they know"),
    }
}
