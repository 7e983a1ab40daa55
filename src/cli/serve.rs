//! `rir-sidecar serve` and `rir-sidecar work`: the long-running service.

use std::{process, sync::Arc};

use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    exit::{AnyError, ExitStatus},
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
    worker::{SharedRateLimit, Worker},
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
    let mut tasks = match start(settings, role, &shutdown).await {
        Ok(tasks) => tasks,
        Err(error) => return ExitStatus::Failed.because(&*error),
    };
    let status = tokio::select! {
        true = asked_to_end() => {
            info!("shutting down");
            ExitStatus::Done
        }
        // No part ends by itself while all is well.
        _ = tasks.join_next() => {
            error!("a part of the service ended; shutting down");
            ExitStatus::Failed
        }
    };
    shutdown.cancel();
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::select! {
        ended = timeout(shutdown_timeout, all) => if ended.is_err() {
            warn!("not everything ended in time; leaving it");
        },
        true = asked_to_end() => warn!("leaving at once"),
    }
    status
}

/// Starts the parts that run in this process.
async fn start(settings: Settings, role: Role, shutdown: &CancellationToken) -> Result<JoinSet<()>, AnyError> {
    let name = process_name();
    // First of all, so that a second process that was started by mistake takes part in nothing.
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
    if settings.keys.file.is_none() {
        warn!("keys.file is not set: without ARIN API keys every sync fails");
    }
    let (files, keys) = FollowedFiles::of(&settings)?;
    tasks.spawn(files.follow(shutdown.clone()));
    let limit = Arc::new(SharedRateLimit::new(coordination.clone(), &name));
    let services = Services::for_replicas(settings, (queue, coordination), Arc::clone(&limit) as _, keys)?;
    let end = shutdown.clone();
    tasks.spawn(async move { limit.register_presence(end).await });
    tokio::spawn(try_token(services.netbox.clone()));
    if role.work {
        tasks.spawn(Worker::new(services.clone(), &name).run(shutdown.clone()));
    }
    tasks.spawn(Scheduler::new(services.clone(), &name).run(shutdown.clone()));
    info!("listening on http://{listen}");
    let router = if role.api { http::router } else { http::health_router };
    let (router, end) = (router(services.clone(), shutdown.clone()), shutdown.clone());
    tasks.spawn(async move { http::serve(router, listener, &services, end).await });
    info!(name, "started");
    Ok(tasks)
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen} (http.listen)")]
struct CannotListen {
    listen: std::net::SocketAddr,
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
