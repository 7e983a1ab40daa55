//! `rir-sidecar serve` and `rir-sidecar work`: the long-running service.

use std::{process, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    exit::{AnyError, ExitStatus},
    output,
    signals::asked_to_end,
};
use crate::{
    config::{Settings, keys::Keyring},
    coordination::Coordination,
    http,
    queue::Queue,
    scheduler::Scheduler,
    services::Services,
    worker::{SharedRateLimit, Worker},
};

/// The time after which the keys file is read again.
const KEYS_RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// The parts of the service that run in this process.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only take requests; jobs are left to `rir-sidecar work` processes
    #[arg(long)]
    no_worker: bool,
}

/// Runs `serve`.
pub(super) async fn serve(args: Args, settings: Settings) -> ExitStatus {
    if args.no_worker && settings.queue.url.expose_secret().is_empty() {
        output::err(
            "error: without queue.url jobs are kept in this process, so that --no-worker would leave them undone",
        );
        return ExitStatus::Misused;
    }
    run(settings, Role { api: true, work: !args.no_worker }).await
}

/// Runs `work`.
pub(super) async fn work(settings: Settings) -> ExitStatus {
    if settings.queue.url.expose_secret().is_empty() {
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
    let keys = follow_keys(&settings, &mut tasks, shutdown)?;
    let limit = Arc::new(SharedRateLimit::new(coordination.clone(), &name));
    let services = Services::for_replicas(settings, (queue, coordination), Arc::clone(&limit) as _, keys)?;
    let end = shutdown.clone();
    tasks.spawn(async move { limit.register_presence(end).await });
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

/// Reads the keys file, and reads it again while the process runs, because keys are added to it.
fn follow_keys(
    settings: &Settings,
    tasks: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) -> Result<watch::Receiver<Keyring>, AnyError> {
    let Some(path) = settings.keys.file.clone() else {
        warn!("keys.file is not set: without ARIN API keys every sync fails");
        return Ok(watch::channel(Keyring::default()).1);
    };
    let (sender, keys) = watch::channel(Keyring::load(&path)?);
    let end = shutdown.clone();
    tasks.spawn(async move {
        let mut well = true;
        while timeout(KEYS_RELOAD_INTERVAL, end.cancelled()).await.is_err() {
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
