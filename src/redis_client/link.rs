//! The connection to Redis: one server, the master that Sentinels name, or a Cluster. It is made when it is first
//! needed, and made again when it is broken. A command that meets a broken one fails; its sender decides what to do.

use std::{fmt, io, sync::Arc, time::Duration};

use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisConnectionInfo,
    RedisError, RedisFuture, RedisResult, ServerErrorKind, TlsMode, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use secrecy::ExposeSecret;

use crate::config::{self, QueueMode};

/// Limits how long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Limits how long Redis may take to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Limits the commands under way in one connection; further ones wait.
const MAX_IN_FLIGHT: usize = 1024;

/// A connection that many tasks use at once.
#[derive(Clone)]
pub(super) enum Link {
    Server(Arc<Server>),
    Cluster(ClusterConnection),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Cluster(_) => "Cluster",
        })
    }
}

impl Link {
    /// Prepares a connection; nothing is sent yet.
    pub(super) fn prepare(settings: &config::Queue) -> RedisResult<Self> {
        let urls: Vec<&str> = settings.url.expose_secret().split(',').map(str::trim).collect();
        let source = match settings.mode {
            QueueMode::Single => Source::Single(Box::new(Client::open(urls.first().copied().unwrap_or_default())?)),
            QueueMode::Sentinel => Source::Sentinel(Box::new(Sentinels::prepare(&urls, &settings.sentinel_master)?)),
            QueueMode::Cluster => return Ok(Self::Cluster(cluster(urls)?)),
        };
        Ok(Self::Server(Arc::new(Server { source: tokio::sync::Mutex::new(source), open: Mutex::default() })))
    }
}

fn cluster(urls: Vec<&str>) -> RedisResult<ClusterConnection> {
    let client = ClusterClient::builder(urls).retries(2).build()?;
    let config = ClusterConfig::new().set_connection_timeout(CONNECT_TIMEOUT).set_response_timeout(ANSWER_TIMEOUT);
    Ok(client.get_pending_async_connection_with_config(config))
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(server) => Box::pin(server.with(async |mut open| open.send_packed_command(cmd).await)),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(server) => {
                Box::pin(server.with(async move |mut open| open.send_packed_commands(pipeline, offset, count).await))
            }
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// A connection to one server at a time.
pub(super) struct Server {
    /// Locked while a connection is made.
    source: tokio::sync::Mutex<Source>,
    open: Mutex<Open>,
}

/// The connection that is open, if one is, and how many there were before.
#[derive(Default)]
struct Open {
    connection: Option<MultiplexedConnection>,
    count: u64,
}

impl Server {
    /// Uses the connection. When that shows that it is broken, the next one to ask gets a new one.
    async fn with<T>(
        self: &Arc<Self>,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let (connection, count) = match self.opened() {
            Some(opened) => opened,
            None => self.connect().await?,
        };
        let answer = command(connection).await;
        if answer.as_ref().is_err_and(is_broken) {
            let mut open = self.open.lock();
            if open.count == count {
                open.connection = None;
            }
        }
        answer
    }

    fn opened(&self) -> Option<(MultiplexedConnection, u64)> {
        let open = self.open.lock();
        Some((open.connection.clone()?, open.count))
    }

    /// Connects. That goes on even if nobody waits for it any more: else callers that time out would begin it anew for
    /// ever.
    async fn connect(self: &Arc<Self>) -> RedisResult<(MultiplexedConnection, u64)> {
        let server = Arc::clone(self);
        let connecting = tokio::spawn(async move {
            let mut source = server.source.lock().await;
            if let Some(opened) = server.opened() {
                return Ok(opened);
            }
            let connection = source.connect().await?;
            let mut open = server.open.lock();
            open.count += 1;
            open.connection = Some(connection.clone());
            Ok((connection, open.count))
        });
        connecting.await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::NotConnected).into()))
    }
}

/// Returns whether a connection is of no more use. A server that only reads was the master once.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// The source of connections.
enum Source {
    Single(Box<Client>),
    Sentinel(Box<Sentinels>),
}

impl Source {
    async fn connect(&mut self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT))
            .set_pipeline_buffer_size(MAX_IN_FLIGHT);
        match self {
            Self::Single(client) => client.get_multiplexed_async_connection_with_config(&config).await,
            Self::Sentinel(sentinels) => sentinels.connect(&config).await,
        }
    }
}

/// Sentinels that tell which server is the master.
struct Sentinels {
    /// The same ones with the credentials of their URLs, and without any: many have none though Redis has.
    clients: [SentinelClient; 2],
}

impl Sentinels {
    /// Database and credentials for Redis itself are those of the first URL.
    fn prepare(urls: &[&str], master: &str) -> RedisResult<Self> {
        let sentinels =
            urls.iter().map(|url| url.into_connection_info()).collect::<RedisResult<Vec<ConnectionInfo>>>()?;
        let first = sentinels.first().ok_or((ErrorKind::EmptySentinelList, "no URL of a sentinel"))?;
        let mut server =
            SentinelNodeConnectionInfo::default().set_redis_connection_info(first.redis_settings().clone());
        if urls.iter().any(|url| url.starts_with("rediss:")) {
            server = server.set_tls_mode(TlsMode::Secure);
        }
        let build = |settings: fn(&ConnectionInfo) -> RedisConnectionInfo| {
            let sentinels: Vec<_> =
                sentinels.iter().map(|info| info.clone().set_redis_settings(settings(info))).collect();
            SentinelClient::build(sentinels, master, Some(server.clone()), SentinelServerType::Master)
        };
        let with = build(|info| info.redis_settings().clone().set_db(0))?;
        Ok(Self { clients: [with, build(|_| RedisConnectionInfo::default())?] })
    }

    async fn connect(&mut self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        let [first, second] = &mut self.clients;
        let error = match first.get_async_connection_with_config(config).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let connection = second.get_async_connection_with_config(config).await.map_err(|_| error)?;
        // What worked is tried first from now on.
        self.clients.reverse();
        Ok(connection)
    }
}
