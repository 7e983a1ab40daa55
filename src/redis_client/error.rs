//! The errors of whatever is kept in Redis.

use redis::ErrorKind;

/// A step in Redis that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("queue.url cannot be used")]
    Address(#[source] redis::RedisError),
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
            Self::Address(_) | Self::Foreign { .. } => false,
            Self::Redis { source, .. } => matches!(source.kind(), ErrorKind::Server(_) | ErrorKind::Extension),
        }
    }
}
