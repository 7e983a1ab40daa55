//! `rir-sidecar serve` and `rir-sidecar work`: the long-running service.

use std::{net::SocketAddr, pin::pin, process, sync::Arc};

use axum::Router;
use parking_lot::Mutex;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    exit::{AnyError, ExitStatus},
    fitness,
    followed_files::FollowedFiles,
    output,
    signals::asked_to_end,
};
use crate::{
    config::Settings,
    coordination::Coordination,
    http, netbox,
    queue::Queue,
    scheduler::Scheduler,
    services::Services,
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
        Err(error) => return ExitStatus::Failed.because(&*error),
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
async fn start(settings: Settings, role: Role, shutdown: &CancellationToken) -> Result<JoinSet<()>, AnyError> {
    let name = process_name();
    // First of all, so that a second process that was started by mistake takes part in nothing.
    let listen = settings.http.listen;
    let listener = TcpListener::bind(listen).await.map_err(|source| CannotListen { listen, source })?;
    let is_known = fitness::is_known(&settings.queue).await?;
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
    let of_queue = settings.queue.clone();
    let services = Services::for_replicas(settings, (queue, coordination), Arc::clone(&limit) as _, keys)?;
    let mut parts = Parts { tasks: JoinSet::new(), metrics: Arc::clone(&services.metrics), stop: shutdown.clone() };
    parts.start(Part::Keys, move |stop| {
        let files = Arc::clone(&files);
        async move { files.lock().await.follow(stop).await }
    });
    if !is_known {
        parts.tasks.spawn(fitness::unfit_later(of_queue, shutdown.clone()));
    }
    tokio::spawn(try_token(services.netbox.clone()));
    parts.start(Part::Presence, move |stop| Arc::clone(&limit).register_presence(stop));
    let (of_worker, of_scheduler) = ((services.clone(), name.clone()), (services.clone(), name.clone()));
    if role.work {
        let (threads, (services, name)) = (JobThreads::start()?, of_worker);
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
        Err(listen) => TcpListener::bind(listen).await,
    };
    match listener {
        Ok(listener) => http::serve(router, listener, &services, stop).await,
        Err(error) => error!(%error, "cannot listen on the address any more (http.listen)"),
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen} (http.listen)")]
struct CannotListen {
    listen: SocketAddr,
    source: std::io::Error,
}

/// Returns a name that no other process has or ever had, and that begins with the name of the machine.
fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "somewhere".into());
    format!("{}-{}-{:08x}", host.trim(), process::id(), fastrand::u32(..))
}

/// Says at once what NetBox thinks of the token, rather than with the first job. Whether NetBox answers at all is what
/// readiness is for.
async fn try_token(netbox: netbox::Client) {
    match netbox.token_may_write().await {
        Ok(Some(false)) => error!("NetBox lets the token of rir-sidecar only read: switch on \"Write enabled\" for it"),
        Ok(Some(true) | None) => {}
        Err(error) if error.is_forbidden() => {
            error!(error = &error as &dyn std::error::Error, "NetBox does not take the token of rir-sidecar");
        }
        Err(_) => {}
    }
}
