//! A new connection to one server, encrypted where its URL says so.

use std::{io, path::Path, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisResult, aio::MultiplexedConnection};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::tls::{self, Trust};

/// Limits how long connecting may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Limits how long Redis may take to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Limits the commands under way in one connection; further ones wait.
const MAX_IN_FLIGHT: usize = 1024;

/// Makes connections that take certain certificates. The library knows authorities only, and no certificate as it is.
pub(super) struct Connector(Arc<ClientConfig>);

impl Connector {
    pub(super) fn prepare(ca_file: Option<&Path>, encrypted: bool) -> Result<Self, tls::Error> {
        let trust = if encrypted { Trust::of(ca_file, encrypted) } else { Trust::Nobody };
        Ok(Self(Arc::new(trust.client_config()?)))
    }

    pub(super) async fn connect(&self, server: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT))
            .set_pipeline_buffer_size(MAX_IN_FLIGHT);
        let ConnectionAddr::TcpTls { host, port, .. } = server.addr() else {
            return Client::open(server.clone())?.get_multiplexed_async_connection_with_config(&config).await;
        };
        let connecting = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            let name = ServerName::try_from(host.clone())?;
            let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await?;
            MultiplexedConnection::new_with_config(server.redis_settings(), stream, config).await
        };
        let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
        let (connection, work) = timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(late)?;
        // It ends with the connection.
        tokio::spawn(work);
        Ok(connection)
    }
}
