//! The connection to Redis: one server, the master that Sentinels name, or a Cluster. It is made when it is first
//! needed, and made again when it is broken. A command that meets a broken one fails; its sender decides what to do.

use std::{fmt, io, sync::Arc};

use futures_util::future::select_ok;
use parking_lot::Mutex;
use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError,
    RedisFuture, RedisResult, ServerErrorKind, TlsCertificates, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
};
use secrecy::ExposeSecret;
use tracing::warn;

use super::{
    connect::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Connector},
    error::Error,
};
use crate::{
    config::{self, QueueMode},
    error_chain::error_chain,
    tls::{self, Distrust},
};

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
    pub(super) fn prepare(settings: &config::Queue) -> Result<Self, Error> {
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
fn with_urls<T>(settings: &config::Queue, take: impl FnOnce(Vec<&str>) -> Result<T, Error>) -> Result<T, Error> {
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

    /// Returns an answer. Of a connection that could not be made the library does not say why, so that is looked at here:
    /// a certificate that is not trusted is told.
    async fn explained<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        match answer {
            Err(error) if error.kind() == ErrorKind::ClusterConnectionNotFound => {
                Err(self.distrusted().await.unwrap_or(error))
            }
            answered => answered,
        }
    }

    /// Returns the error of the first server whose certificate is not trusted.
    async fn distrusted(&self) -> Option<RedisError> {
        let (servers, connector) = with_urls(&self.settings, |urls| {
            let encrypted = urls.into_iter().filter(|url| is_encrypted(url));
            let servers = encrypted.map(IntoConnectionInfo::into_connection_info).collect::<RedisResult<Vec<_>>>()?;
            let connector = Connector::prepare(self.settings.ca_file.as_deref(), !servers.is_empty())?;
            Ok((servers, connector))
        })
        .ok()?;
        let mut errors = Vec::new();
        for server in servers {
            errors.extend(connector.connect(&server).await.err());
        }
        errors.into_iter().find(|error| Distrust::behind(error).is_some())
    }
}

/// Prepares a connection to a Cluster. The library makes those to its servers by itself: it takes no certificate as it
/// is.
fn cluster(settings: &config::Queue) -> Result<ClusterConnection, Error> {
    tls::choose_provider();
    let authorities = settings.ca_file.as_deref().map(tls::text).transpose()?;
    let client = with_urls(settings, |urls| {
        let builder = ClusterClient::builder(urls).retries(2);
        let builder = match authorities {
            Some(pem) => builder.certs(TlsCertificates { client_tls: None, root_cert: Some(pem) }),
            None => builder,
        };
        Ok(builder.build()?)
    })?;
    let config = ClusterConfig::new().set_connection_timeout(CONNECT_TIMEOUT).set_response_timeout(ANSWER_TIMEOUT);
    Ok(client.get_pending_async_connection_with_config(config))
}

fn unusable(error: &Error) {
    warn!(error = %error_chain(error), "the new queue.url cannot be used; going on with the one before it");
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(server) => Box::pin(server.with(async |mut open| open.send_packed_command(cmd).await)),
            Self::Cluster(cluster) => {
                let mut connection = cluster.connection();
                Box::pin(async move { cluster.explained(connection.req_packed_command(cmd).await).await })
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
                Box::pin(async move {
                    cluster.explained(connection.req_packed_commands(pipeline, offset, count).await).await
                })
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
    Single { server: Box<ConnectionInfo>, connector: Connector },
    Sentinel(Box<Sentinels>),
}

impl Source {
    fn prepare(settings: &config::Queue) -> Result<Self, Error> {
        with_urls(settings, |urls| {
            let connector = Connector::prepare(settings.ca_file.as_deref(), urls.iter().any(|url| is_encrypted(url)))?;
            match settings.mode {
                QueueMode::Sentinel => {
                    Ok(Self::Sentinel(Box::new(Sentinels::prepare(&urls, &settings.sentinel_master, connector)?)))
                }
                QueueMode::Single | QueueMode::Cluster => {
                    let server = Box::new(urls.first().copied().unwrap_or_default().into_connection_info()?);
                    Ok(Self::Single { server, connector })
                }
            }
        })
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        match self {
            Self::Single { server, connector } => connector.connect(server).await,
            Self::Sentinel(sentinels) => sentinels.connect().await,
        }
    }
}

/// Returns whether a URL asks for TLS.
fn is_encrypted(url: &str) -> bool {
    url.starts_with("rediss:")
}

/// Sentinels that tell which server is the master.
struct Sentinels {
    sentinels: Vec<ConnectionInfo>,
    master: String,
    /// The database and the credentials of Redis itself, which are those of the first URL.
    redis: RedisConnectionInfo,
    /// True if Redis itself is asked over TLS.
    encrypted: bool,
    connector: Connector,
}

impl Sentinels {
    fn prepare(urls: &[&str], master: &str, connector: Connector) -> RedisResult<Self> {
        let sentinels =
            urls.iter().map(|url| url.into_connection_info()).collect::<RedisResult<Vec<ConnectionInfo>>>()?;
        let first = sentinels.first().ok_or((ErrorKind::EmptySentinelList, "no URL of a sentinel"))?;
        let redis = first.redis_settings().clone();
        let encrypted = urls.iter().any(|url| is_encrypted(url));
        Ok(Self { sentinels, master: master.to_owned(), redis, encrypted, connector })
    }

    /// Asks all sentinels at once, and connects to the first master that is found: one may be away, or not know yet
    /// that the master is another one.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let asked = self.sentinels.iter().map(|sentinel| Box::pin(self.connect_by(sentinel)));
        Ok(select_ok(asked).await?.0)
    }

    /// Connects to the server that a sentinel names, if that is a master.
    async fn connect_by(&self, sentinel: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let mut asked = self.ask(sentinel).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let named: Option<(String, u16)> = question.query_async(&mut asked).await?;
        let (host, port) = named.ok_or((ErrorKind::MasterNameNotFoundBySentinel, "queue.sentinel_master"))?;
        let address = match self.encrypted {
            true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
            false => ConnectionAddr::Tcp(host, port),
        };
        let server = address.into_connection_info()?.set_redis_settings(self.redis.clone());
        let mut connection = self.connector.connect(&server).await?;
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
        match role.into_iter().next().map(redis::from_redis_value::<String>).transpose()?.as_deref() {
            Some("master") => Ok(connection),
            Some(_) | None => Err((ErrorKind::Server(ServerErrorKind::ReadOnly), "a sentinel named a replica").into()),
        }
    }

    /// Connects to a sentinel with the credentials of its URL, or without any: many have none though Redis has.
    async fn ask(&self, sentinel: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let with = sentinel.redis_settings().clone().set_db(0);
        match self.connector.connect(&sentinel.clone().set_redis_settings(with)).await {
            Err(error) if !error.is_io_error() => {
                let without = sentinel.clone().set_redis_settings(RedisConnectionInfo::default());
                self.connector.connect(&without).await.map_err(|_| error)
            }
            connected => connected,
        }
    }
}
