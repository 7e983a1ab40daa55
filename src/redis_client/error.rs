//! The errors of whatever is kept in Redis.

use redis::ErrorKind;

use crate::tls::{self, Distrust};

/// A step in Redis that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("queue.url cannot be used")]
    Address(#[from] redis::RedisError),
    /// Certificates cannot be checked.
    #[error("the certificates of Redis cannot be checked")]
    Trust(#[from] tls::Error),
    /// Whoever answered presented a certificate that is not trusted.
    #[error(
        "Redis presented a certificate that is not trusted: {distrust}; put it, or that of the authority that signed it, \
         into the PEM file of queue.ca_file"
    )]
    Distrusted {
        /// The reason.
        distrust: Distrust,
        /// The cause.
        source: redis::RedisError,
    },
    /// Redis did not answer, or refused.
    #[error("Redis did not do it: {operation}")]
    Redis {
        /// The name of the script or command.
        operation: &'static str,
        /// The cause.
        source: redis::RedisError,
    },
    /// Redis holds something else than we put there.
    #[error("Redis holds something else than expected: {operation}")]
    Foreign {
        /// The name of the script or command.
        operation: &'static str,
        /// The reason why it cannot be read.
        source: Option<serde_json::Error>,
    },
}

impl Error {
    /// Returns whether Redis answered, and said no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Address(_) | Self::Trust(_) | Self::Distrusted { .. } | Self::Foreign { .. } => false,
            Self::Redis { source, .. } => matches!(source.kind(), ErrorKind::Server(_) | ErrorKind::Extension),
        }
    }
}
