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
use tracing::warn;

use crate::{
    config::{self, QueueMode},
    error_chain::error_chain,
};

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
    Cluster(Arc<Cluster>),
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
    /// Prepares a connection; nothing is sent yet. Whenever one is made, it is with the URLs of then.
    pub(super) fn prepare(settings: &config::Queue) -> RedisResult<Self> {
        let version = settings.url.version();
        if settings.mode == QueueMode::Cluster {
            let open = Mutex::new((version, cluster(settings)?));
            return Ok(Self::Cluster(Arc::new(Cluster { settings: settings.clone(), open })));
        }
        let source = tokio::sync::Mutex::new((version, Source::prepare(settings)?));
        Ok(Self::Server(Arc::new(Server { settings: settings.clone(), source, open: Mutex::default() })))
    }
}

/// Gives the URLs of now to whoever takes them apart.
fn with_urls<T>(settings: &config::Queue, take: impl FnOnce(Vec<&str>) -> RedisResult<T>) -> RedisResult<T> {
    take(settings.url.now().expose_secret().split(',').map(str::trim).collect())
}

/// The connection to a Cluster, which keeps those to its servers by itself.
pub(super) struct Cluster {
    settings: config::Queue,
    /// The connection, and the version of the URLs that it was made with.
    open: Mutex<(u64, ClusterConnection)>,
}

impl Cluster {
    /// Returns the connection; a new one if the URLs have changed. One that cannot be made leaves the old one in use.
    fn connection(&self) -> ClusterConnection {
        let mut open = self.open.lock();
        let version = self.settings.url.version();
        if open.0 != version {
            open.0 = version;
            match cluster(&self.settings) {
                Ok(connection) => open.1 = connection,
                Err(error) => unusable(&error),
            }
        }
        open.1.clone()
    }
}

fn cluster(settings: &config::Queue) -> RedisResult<ClusterConnection> {
    let client = with_urls(settings, |urls| ClusterClient::builder(urls).retries(2).build())?;
    let config = ClusterConfig::new().set_connection_timeout(CONNECT_TIMEOUT).set_response_timeout(ANSWER_TIMEOUT);
    Ok(client.get_pending_async_connection_with_config(config))
}

fn unusable(error: &RedisError) {
    warn!(error = %error_chain(error), "the new queue.url cannot be used; going on with the one before it");
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(server) => Box::pin(server.with(async |mut open| open.send_packed_command(cmd).await)),
            Self::Cluster(cluster) => {
                let mut connection = cluster.connection();
                Box::pin(async move { connection.req_packed_command(cmd).await })
            }
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
            Self::Cluster(cluster) => {
                let mut connection = cluster.connection();
                Box::pin(async move { connection.req_packed_commands(pipeline, offset, count).await })
            }
        }
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// A connection to one server at a time.
pub(super) struct Server {
    settings: config::Queue,
    /// The source of connections, and the version of the URLs that it was made with. Locked while a connection is made.
    source: tokio::sync::Mutex<(u64, Source)>,
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
            server.renew(&mut source);
            let connection = source.1.connect().await?;
            let mut open = server.open.lock();
            open.count += 1;
            open.connection = Some(connection.clone());
            Ok((connection, open.count))
        });
        connecting.await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::NotConnected).into()))
    }

    /// Looks whether the URLs have changed. Ones that cannot be used leave the source as it was.
    fn renew(&self, (version, source): &mut (u64, Source)) {
        let url = &self.settings.url;
        if url.is_newer_than(*version) {
            *version = url.version();
            match Source::prepare(&self.settings) {
                Ok(prepared) => *source = prepared,
                Err(error) => unusable(&error),
            }
        }
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
    fn prepare(settings: &config::Queue) -> RedisResult<Self> {
        with_urls(settings, |urls| match settings.mode {
            QueueMode::Sentinel => Ok(Self::Sentinel(Box::new(Sentinels::prepare(&urls, &settings.sentinel_master)?))),
            QueueMode::Single | QueueMode::Cluster => {
                Ok(Self::Single(Box::new(Client::open(urls.first().copied().unwrap_or_default())?)))
            }
        })
    }

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
